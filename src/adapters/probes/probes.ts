/** Every probe there is, by the kind of its verification. */
import type { Verification, VerificationKind } from "../../failover/index.ts";
import type { Commands, Probe, ProbeFinding, ProbeQuestion } from "../../ports.ts";

export interface ProbeParts {
  readonly commands: Commands;
}

/** Answers one kind of verification; may throw: what it throws is an INCONCLUSIVE with its message. */
export type ProbeOf<V extends Verification> = (
  parts: ProbeParts,
  question: ProbeQuestion & { readonly verification: V },
  signal: AbortSignal,
) => Promise<ProbeFinding>;

type ProbesByKind = {
  readonly [K in VerificationKind]?: ProbeOf<Extract<Verification, { readonly kind: K }>>;
};

const byKind: ProbesByKind = {};

export function probes(parts: ProbeParts): Probe {
  return {
    ask: async (question, signal) => {
      const probe = Object.entries(byKind).find(([kind]) => kind === question.verification["kind"]);
      const inconclusive = (because: string): ProbeFinding => ({
        ...{ verdict: "inconclusive", because, observed: {}, boundBy: "address" },
        ...{ site: question.site, nonce: question.nonce },
      });
      if (probe === undefined)
        return inconclusive(`no probe answers ${String(question.verification["kind"])}`);
      const asked = probe[1] as unknown as ProbeOf<Verification>;
      return await asked(parts, question as never, signal).catch((thrown: unknown) =>
        inconclusive(thrown instanceof Error ? thrown.message : String(thrown)),
      );
    },
  };
}
