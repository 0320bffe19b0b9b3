/** One question on its way to an answer: what a probe is given, and what it gives back. */
import type { NoteVerifier } from "../../audit/index.ts";
import type { ParityState, Verification } from "../../failover/index.ts";
import type { JsonObject, Result } from "../../kernel/index.ts";
import type { Clock, Commands, HttpTransport, ProbeFinding, ProbeQuestion } from "../../ports.ts";
import type { Secrets } from "./secrets.ts";

export interface ProbeParts {
  readonly commands: Commands;
  readonly http: HttpTransport;
  readonly clock: Clock;
  /** Where secrets are looked up that a manifest names as `{ env: … }`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Without it, parity with other sites cannot be shown. */
  readonly parity?: ParityAsking;
}

export interface ParityAsking {
  /** What this site has; `nonce` goes into the statement. */
  readonly own: (nonce: string) => Promise<Result<ParityState, string>>;
  /** The other sites of the manifest, each with the key of its guard. */
  readonly sites: readonly {
    readonly site: string;
    readonly guardUrl: string;
    readonly key: NoteVerifier;
  }[];
}

export interface Asking<V extends Verification = Verification> extends ProbeParts {
  readonly question: Omit<ProbeQuestion, "verification">;
  readonly verification: V;
  readonly secrets: Secrets;
  /** Aborts when the probe must come to its end: somebody said so, or its time is up. */
  readonly signal: AbortSignal;
  /** Its time is up, and nobody told it to stop: what was waited for did not come. */
  readonly isTimeUp: () => boolean;
}

/** What a probe saw. `echo`: the site and the nonce that the answer itself names. */
export interface Found {
  readonly verdict: ProbeFinding["verdict"];
  readonly because: string;
  /** `config_digest` is compared with what the manifest expects. */
  readonly observed?: JsonObject;
  readonly echo?: { readonly site: string; readonly nonce: string };
}

/** Answers one kind of verification; may throw: what it throws is an INCONCLUSIVE with its message. */
export type ProbeOf<V extends Verification> = (asking: Asking<V>) => Promise<Found>;

export const pass = (because: string, more: Partial<Found> = {}): Found => ({
  ...more,
  ...{ verdict: "pass", because },
});

export const fail = (because: string, more: Partial<Found> = {}): Found => ({
  ...more,
  ...{ verdict: "fail", because },
});

export const inconclusive = (because: string, more: Partial<Found> = {}): Found => ({
  ...more,
  ...{ verdict: "inconclusive", because },
});
