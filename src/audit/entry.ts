/**
 * What is recorded. Every entry carries tenant, site, epoch, instance and (for a call) the call id. Field names are
 * those of the wire. An entry is canonical JSON (RFC 8785); one over 65,535 bytes goes into the log by digest.
 */
import type { JsonObject } from "../kernel/index.ts";

/** Where the entry was made. `epoch` 0 and site `standalone` until a manifest is adopted. */
export interface EntryOrigin {
  readonly instance: string;
  readonly site: string;
  readonly epoch: number;
}

interface EntryCommon extends EntryOrigin {
  readonly v: 1;
  /** RFC 3339 UTC, milliseconds. */
  readonly time: string;
  readonly tenant: string;
}

/** The first entry of an instance's run: names the last checkpoint it knows, of itself or of the one it takes over from. */
export interface StartEntry extends EntryCommon {
  readonly kind: "start";
  readonly holdfast: string;
  readonly previous: { readonly origin: string; readonly checkpoint: string } | null;
  /** Calls of earlier runs that have a decision and no outcome: their effect is unknown. */
  readonly unknown_calls: readonly string[];
  /** The highest serial of a policy bundle that this log has recorded; 0 before the first. */
  readonly bundle_serial: number;
}

/** A policy revision began to decide. */
export interface PolicyEntry extends EntryCommon {
  readonly kind: "policy";
  readonly policy_version: string;
  readonly bundle_digest: string;
  /** Never below that of an earlier entry of the log. */
  readonly bundle_serial: number;
}

/** The kill switch changed, and this instance obeys it from here on. `serial` is that of the shared state. */
export interface KillEntry extends EntryCommon {
  readonly kind: "kill";
  readonly serial: number;
  readonly switches: readonly {
    readonly id: string;
    readonly mode: "pause" | "dry_run" | "escrow";
    readonly scope: Readonly<Partial<Record<string, string>>>;
    readonly reason: string;
    readonly by: string;
    readonly since: string;
  }[];
}

/** People have answered, or their time is over; recorded by the gateway that asked them. */
export interface ApprovalEntry extends EntryCommon {
  readonly kind: "approval";
  readonly approval_id: string;
  /** `granted`, `declined`, `expired`, `revoked` or `unknown`. */
  readonly state: string;
  readonly agent_id: string;
  readonly tool: string;
  readonly args_digest: string;
  readonly policy_version: string;
  /** Why it ended, where no vote says it. */
  readonly because: string | null;
  readonly votes: readonly {
    readonly approver: string;
    readonly verdict: "approve" | "decline";
    readonly reason: string;
    readonly groups: readonly string[];
    readonly channel: string;
    readonly time: string;
  }[];
}

/** A breaker opened or closed, and this instance calls accordingly from here on. */
export interface BreakerEntry extends EntryCommon {
  readonly kind: "breaker";
  readonly upstream: string;
  /** `null`: the whole upstream. */
  readonly tool: string | null;
  readonly state: "open" | "closed";
  /** Names this change in the shared state. */
  readonly change: string;
  /** How often it has opened in a row. */
  readonly times: number;
  /** `null`: until people close it. */
  readonly open_ms: number | null;
  readonly cause: string;
  /** The gateway or the person that opened or closed it. */
  readonly by: string;
}

/** A person let a held write go, discarded it, or said what became of it; recorded by a gateway that shares the queue. */
export interface EscrowEntry extends EntryCommon {
  readonly kind: "escrow";
  readonly step: "released" | "discarded" | "settled";
  /** The call that was held back. */
  readonly item: string;
  readonly agent_id: string;
  readonly tool: string;
  readonly args_digest: string;
  readonly by: string;
  readonly reason: string;
  /** When the person said so, RFC 3339. */
  readonly said: string;
}

/** One step of a failover, recorded by the guard of the site; what it says is the failover room's to know. */
export interface FailoverEntry extends EntryCommon {
  readonly kind: "failover";
  readonly failover: string;
  readonly deployment: string;
  readonly step: string;
  readonly about: JsonObject;
}

/** This instance may act from here on, or no longer, as its guard says. Renewals of the same are not recorded. */
export interface PermitEntry extends EntryCommon {
  readonly kind: "permit";
  readonly deployment: string;
  readonly state: "held" | "lost";
  readonly manifest_digest: string;
  readonly failover: string | null;
  readonly tier: string;
  readonly monitoring: string;
  readonly because: string | null;
}

/**
 * A drill (AG-403 4.7): durable before its fault, and again when it is over. The same end twice means that the engine died
 * between recording it and forgetting it.
 */
export interface DrillEntry extends EntryCommon {
  readonly kind: "drill";
  readonly step: "opened" | "closed";
  readonly drill: string;
  readonly scenario: string;
  readonly deployment: string;
  readonly experiment_digest: string;
  readonly manifest_digest: string;
  /** Of the signed journal as it lies on disk; null while it is open. */
  readonly journal_digest: string | null;
  /** `pass`, `fail` or `inconclusive`; null while it is open. */
  readonly verdict: string | null;
}

/** Made before anything is forwarded; durable before anything is forwarded. */
export interface DecisionEntry extends EntryCommon {
  readonly kind: "decision";
  readonly call: string;
  readonly face: "mcp" | "http" | "authzen" | "opa";
  readonly method: string;
  readonly agent_id: string;
  /** How it was proven: `jwt`, `http_signature`, `development_token`, or `asserted` by the enforcement point in `caller`. */
  readonly identity: string;
  /** The enforcement point that asked on the agent's behalf, when the agent did not ask itself. */
  readonly caller: string | null;
  readonly model: string | null;
  readonly principal: string | null;
  readonly delegation: readonly string[];
  readonly tool: string;
  readonly effect: "read" | "write";
  readonly risk: "low" | "high" | "critical";
  readonly definition_digest: string | null;
  readonly decision: "allow" | "deny" | "sanitize" | "approval_needed";
  readonly reason: string;
  readonly policy_version: string;
  readonly determining_rules: readonly string[];
  readonly indeterminate: readonly { readonly rule: string; readonly why: string }[];
  readonly opened: boolean;
  /** Digest of the arguments as the agent sent them. */
  readonly args_digest: string;
  /** The arguments with everything that must not be kept taken out. */
  readonly args_redacted: JsonObject | null;
  /** Digest of the arguments as they will be forwarded, when they differ. */
  readonly sanitized_payload_digest: string | null;
  readonly approval_id: string | null;
  /** Who said yes to `approval_id`, where the call goes through because of it; and the grant that it uses up. */
  readonly approved_by: readonly string[];
  readonly override_jti: string | null;
  readonly cost_estimate_micro_usd: number;
  /**
   * Where escrow has to do with it: the write was held back as `item` (`held_already`: as an earlier call of the same), or
   * it is that item, which a person let go.
   */
  readonly escrow?:
    | { readonly step: "held" | "held_already"; readonly item: string }
    | {
        readonly step: "released";
        readonly item: string;
        readonly attempt: number;
        readonly by: string;
        readonly reason: string;
      };
  /** Where the catalog names the node of the runtime model that the call concerns: what was predicted, before it was done. */
  readonly prediction?: PredictionMark;
  readonly trace: string | null;
}

export type PredictionMark =
  | {
      readonly known: true;
      readonly target: string;
      readonly change: string;
      /** Part of the traffic that would feel it, with its interval. */
      readonly share: number;
      readonly share_low: number;
      readonly share_high: number;
      readonly services: number;
      readonly age_seconds: number;
    }
  | { readonly known: false; readonly target: string | null; readonly why: string };

export type CallOutcome = "ok" | "tool_error" | "not_sent" | "unknown";

/** One of several times that a call was sent. */
export interface AttemptEntry {
  /** `dry_run`: in the form that is declared to change nothing. */
  readonly form: "as_judged" | "dry_run";
  readonly outcome: CallOutcome;
  readonly detail: string | null;
  /** Since the first was sent. */
  readonly started_ms: number;
}

/** What became of a forwarded call. */
export interface OutcomeEntry extends EntryCommon {
  readonly kind: "outcome";
  readonly call: string;
  readonly decision_index: number;
  readonly outcome: CallOutcome;
  readonly detail: string | null;
  readonly result_digest: string | null;
  readonly result_bytes: number;
  readonly duration_ms: number;
  /** Absent when it was sent once. */
  readonly attempts?: readonly AttemptEntry[];
}

/**
 * A search (AuthZEN): one question about many candidates, none of them forwarded. Durable before its results are given
 * out. Identifiers are kept; properties and context only by digest, because nobody has said what in them may be kept.
 */
export interface SearchEntry extends EntryCommon {
  readonly kind: "search";
  readonly call: string;
  readonly face: "authzen";
  /** `search/subject`, `search/resource` or `search/action`. */
  readonly method: string;
  /** Who asked, and learns the results. */
  readonly agent_id: string;
  /** How it was proven, as in a decision. */
  readonly identity: string;
  readonly principal: string | null;
  /** What was asked: types, ids and the action's name; what was searched for has no id. */
  readonly question: JsonObject;
  /** Digest of the whole question, properties and context included, without the page. */
  readonly question_digest: string;
  readonly policy_version: string;
  /** Candidates that were judged for this page. */
  readonly judged: number;
  /** Of these, stopped by the kill switch. */
  readonly withheld: number;
  readonly results: number;
  /** Digest of the list of results as it was given out. */
  readonly results_digest: string;
  readonly trace: string | null;
}

/**
 * Stands in the log for an entry over 65,535 bytes; the entry itself is the file `blobs/<hex of its digest>`. Made by
 * `encodeEntry`, never by a writer.
 */
export interface DigestEntry extends EntryCommon {
  readonly kind: "digest";
  /** What kind of entry it stands for. */
  readonly of: Entry["kind"];
  readonly call: string | null;
  /** `sha256:<hex>` of the canonical JSON. */
  readonly digest: string;
  readonly bytes: number;
}

export type Entry =
  | StartEntry
  | PolicyEntry
  | KillEntry
  | ApprovalEntry
  | BreakerEntry
  | EscrowEntry
  | FailoverEntry
  | PermitEntry
  | DrillEntry
  | DecisionEntry
  | SearchEntry
  | OutcomeEntry;
