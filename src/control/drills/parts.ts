/** What the drill engine is built from. */
import type { DrillVerdict, Experiment, FindsPattern, Manifest } from "../../failover/index.ts";
import type { JsonValue, Result } from "../../kernel/index.ts";
import type { Clock, Commands, Disk, Entropy, HttpTransport, Signer } from "../../ports.ts";

export interface DrillParts {
  readonly commands: Commands;
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Holds `open.json` while a drill is under way, and `journals/`. */
  readonly disk: Disk;
  /** Resolves ok, with the index in the log, only when the step is durable. */
  record(step: DrillStep): Promise<Result<number, string>>;
  readonly signer: Signer;
  readonly finds: FindsPattern;
  /** Of the processes that a drill starts, and nothing else. */
  readonly environment: Readonly<Record<string, string>>;
  readonly about: {
    readonly version: string;
    readonly platform: string;
    readonly node: string;
  };
  /** One line for people, as it goes along. */
  tell(line: string): void;
}

/** What the log keeps of a drill. The same `closed` twice means the engine died between writing it and forgetting it. */
export interface DrillStep {
  readonly step: "opened" | "closed";
  readonly drill: string;
  readonly scenario: string;
  readonly deployment: string;
  readonly experiment_digest: string;
  readonly manifest_digest: string;
  /** Of the signed journal; null while it is open. */
  readonly journal_digest: string | null;
  readonly verdict: DrillVerdict | null;
}

export interface DrillRequest {
  readonly experiment: Experiment;
  readonly manifest: Manifest;
  readonly manifestDigest: string;
  /** As given on the command line; kept with an open drill, so that it can be rolled back later. */
  readonly variables: Readonly<Record<string, JsonValue>>;
  readonly allowReady: boolean;
  /** Aborted: the drill stops and rolls back. */
  readonly signal: AbortSignal;
}

/**
 * `busy`: another drill runs. `refused`: it reaches too far. `stuck`: an earlier drill cannot be rolled back; people must
 * look. `unrecorded`: its beginning could not be made durable. Nothing was done in any of them.
 */
export interface DrillRefusal {
  readonly kind: "busy" | "refused" | "stuck" | "unrecorded";
  readonly because: readonly string[];
}
