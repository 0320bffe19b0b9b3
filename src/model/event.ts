/**
 * What the model is told. A source translates to these and concludes nothing. Events may come twice and in any order:
 * the same id is the same event, and what is known of a moment does not depend on when it was told.
 *
 * Times are milliseconds since 1970-01-01 UTC. `at` is when it was so (valid time), `knownAt` when the source learned it.
 */
import type { JsonObject, JsonValue } from "../kernel/index.ts";
import type { EdgeKind, NodeId } from "./graph-words.ts";

/** Where a fact is from, so that a person can look: adapter and file:line, address or trace id. */
export interface Origin {
  readonly source: string;
  readonly reference: string;
}

interface Told {
  /** Of this event for ever; two events with one id are one. */
  readonly id: string;
  readonly at: number;
  readonly knownAt: number;
  readonly origin: Origin;
}

/**
 * From `at` on, this aspect of a node (its `spec`, its `status`, its `contract` …) is `value`, until a later fact about
 * the same aspect. `null`: the node is gone.
 */
export interface NodeFact extends Told {
  readonly type: "node";
  readonly node: NodeId;
  readonly aspect: string;
  readonly value: JsonObject | null;
}

/** From `at` on there is such an edge. Declared (a catalogue, a specification) and observed (traffic) are kept apart. */
export interface EdgeFact extends Told {
  readonly type: "edge";
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: EdgeKind;
  readonly basis: "declared" | "observed";
  readonly gone?: true;
}

export const changeKinds = [
  "deploy",
  "commit",
  "config",
  "secret",
  "flag",
  "migration",
  "scale",
  "infrastructure",
  "restart",
  "agent_action",
] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface DiffPart {
  /** File, object or flag; with the path inside where the source knows it. */
  readonly path: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Somebody or something changed production. */
export interface Change extends Told {
  readonly type: "change";
  /** A deploy, commit, config, flag … */
  readonly change: NodeId;
  readonly kind: ChangeKind;
  readonly targets: readonly NodeId[];
  readonly title: string;
  readonly actor?: string;
  readonly before?: string;
  readonly after?: string;
  /** Absent: the source does not say; empty: it says that nothing differs. */
  readonly diff?: readonly DiffPart[];
  /** Changes that led to this one (a commit to its deploy). */
  readonly causedBy?: readonly NodeId[];
}

/** Which way is bad is a property of the signal: see `signals`. */
export const signals = {
  latency: { worse: "up", unit: "ms" },
  errors: { worse: "up", unit: "ratio" },
  availability: { worse: "down", unit: "ratio" },
  requests: { worse: "either", unit: "1/s" },
  cpu: { worse: "up", unit: "ratio" },
  memory: { worse: "up", unit: "ratio" },
  disk: { worse: "up", unit: "ratio" },
  network_in: { worse: "either", unit: "B/s" },
  network_out: { worse: "either", unit: "B/s" },
  restarts: { worse: "up", unit: "1" },
  lag: { worse: "up", unit: "ms" },
  other: { worse: "either", unit: "1" },
} as const;
export type Signal = keyof typeof signals;

/** A measurement over time; `points` are `[at, value]`, in order of time, absent where nothing was measured. */
export interface Series extends Told {
  readonly type: "series";
  readonly node: NodeId;
  readonly signal: Signal;
  /** The source's own name, with its statistic: `PodServerLatencyP90(s)`. */
  readonly name: string;
  readonly operation?: string;
  readonly points: readonly (readonly [at: number, value: number])[];
}

/** Calls from one to another within a window: what a service graph is folded from. */
export interface Traffic extends Told {
  readonly type: "traffic";
  /** Null: from outside, or untold. The callee itself: a step within it, which is no call. */
  readonly caller: NodeId | null;
  readonly callee: NodeId;
  readonly operation: string;
  /** The caller's operation that made the calls; absent when the source does not know it. */
  readonly callerOperation?: string;
  /** The operation by which the outside entered, `service operation`; "" when the source does not know it. */
  readonly entry: string;
  readonly untilAt: number;
  readonly count: number;
  readonly errors: number;
  /** Of the whole call, and of the callee alone (without its own calls); empty when not measured. */
  readonly totalMs: Quantiles | null;
  readonly selfMs: Quantiles | null;
  /** Of the way there and back: the caller's time less the callee's; absent when only one side was measured. */
  readonly wayMs?: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly max: number;
}

/** Log lines of one template within a window. */
export interface LogTemplate extends Told {
  readonly type: "log";
  readonly node: NodeId;
  readonly severity: "debug" | "info" | "warn" | "error";
  /** The words that stay, `<*>` where they vary. */
  readonly template: string;
  readonly example: string;
  readonly entry: string;
  readonly untilAt: number;
  readonly count: number;
}

/** Trouble that a source itself reports: a Kubernetes condition or event, a failed probe, a dead unit. */
export interface Condition extends Told {
  readonly type: "condition";
  readonly node: NodeId;
  /** The source's word: `FailedScheduling`, `CrashLoopBackOff`, `DependencyProbe`. */
  readonly name: string;
  readonly status: "true" | "false" | "unknown";
  readonly message: string;
  /** Last seen, for what repeats; absent: it holds until the next of that name. */
  readonly untilAt?: number;
  readonly count?: number;
}

export interface Alert extends Told {
  readonly type: "alert";
  readonly node: NodeId;
  readonly signal: Signal;
  readonly operation?: string;
  readonly title: string;
  readonly resolvedAt?: number;
}

/** What an agent does through the gateway, step by step. */
export interface AgentAction extends Told {
  readonly type: "action";
  readonly call: string;
  readonly phase: "proposed" | "evaluated" | "executed" | "outcome";
  readonly agent: NodeId;
  readonly tool: NodeId;
  readonly targets: readonly NodeId[];
  readonly detail: JsonValue;
}

export type ModelEvent =
  | NodeFact
  | EdgeFact
  | Change
  | Series
  | Traffic
  | LogTemplate
  | Condition
  | Alert
  | AgentAction;
