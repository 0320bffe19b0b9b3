/**
 * The words of the data plane: what a face (MCP, HTTP, AuthZEN) hands to the spine, and what it gets back. A face only
 * translates; everything that makes a call governed happens in `govern` (see `spine.ts`), once, for all faces.
 */
import type { CallOutcome } from "../audit/index.ts";
import type { Identity } from "../identity/index.ts";
import type { JsonObject, JsonValue, Result, ToolId } from "../kernel/index.ts";
import type { Effect, Outcome, PolicyRequest, Risk, Verdict } from "../policy/index.ts";
import type { TraceBeside } from "../ports.ts";
import type { OverrideRefusal } from "./hold.ts";
import type { FrontRequest } from "./http-front.ts";

export type Face = "mcp" | "http" | "authzen" | "opa";

/** A tool as its server described it, pinned. */
export interface ToolDefinition {
  /** SHA-256 of the canonical JSON of name, description, schemas and annotations, `sha256:<hex>`. */
  readonly digest: string;
  readonly inputSchema?: JsonObject;
  /** From annotations, believed only when the server is trusted. */
  readonly readOnlyHint?: boolean;
}

/** One action an agent asks for. */
export interface ToolRequest {
  readonly face: Face;
  /** `tools/call`, `resources/read`, `POST`, … as the wire names it. */
  readonly method: string;
  readonly identity: Identity;
  /**
   * The enforcement point that asks about `identity` (AuthZEN); absent when the agent itself asks. Recorded, never a
   * source of rights.
   */
  readonly caller?: Identity;
  readonly tool: ToolId;
  /** AuthZEN resource; `{ type: "tool", id: tool }` unless the face knows better. */
  readonly resource?: {
    readonly type: string;
    readonly id: string;
    readonly properties: JsonObject;
  };
  /** The face's own knowledge when the catalog is silent: `resources/read` and GET are reads. */
  readonly effectHint?: Effect;
  readonly definition?: ToolDefinition;
  readonly args: JsonObject;
  /**
   * Judged as it stands instead of a question made from the fields above, which it must agree with (OPA's data API).
   * A tool of the catalog is what the catalog says: a question that says otherwise is denied.
   */
  readonly question?: PolicyRequest;
  /** How to send it at another time; absent when that cannot be done. */
  readonly later?: (callId: string) => Later;
  /** A write that was held back, and that a person has let go. */
  readonly released?: Released;
  /** A one-time override token that came along. Without one, a grant of the same action is found by itself. */
  readonly override?: string;
  /** More facts under `context`, for instance AuthZEN's. */
  readonly context?: JsonObject;
  readonly traceparent?: string;
  readonly traceBeside?: TraceBeside;
  readonly requestId?: string;
  /** MCP: the revision the caller speaks. */
  readonly protocolVersion?: string;
  /** How an answer that says no, or that the upstream failed, is classed on this wire; for spans and metrics. */
  readonly errorClass?: { readonly refused: string; readonly failed: string };
}

/** What a face needs to send a call at another time, beside its judged arguments. */
export interface Later {
  readonly carry: JsonObject;
  /** Under which the upstream will know it. */
  readonly idempotencyKey: string;
  /** The agent's own word for "this is the same write", where it gave one. */
  readonly repeats?: string;
}

/** Judged anew, under a call id of its own; sent under the key of the call that was held back. */
export interface Released {
  readonly item: string;
  /** Chosen when the item was claimed, so that the log can be asked about it after a crash. */
  readonly callId: string;
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly by: string;
  readonly reason: string;
  /** Obligations that were carried out when it was held back: twice would be another value. */
  readonly met: readonly JsonValue[];
}

/** Handed to `forward`: exactly what was judged. */
export interface Judged {
  readonly callId: string;
  /** After obligations. Serialise this, never the original bytes. */
  readonly args: JsonObject;
  /** True when `args` differs from what the agent sent. */
  readonly sanitized: boolean;
  /** The same each time that the call is sent. */
  readonly idempotencyKey: string;
  /** The form that its upstream is declared to change nothing on: the answer is looked at, and given to nobody. */
  readonly isDryRun?: boolean;
  /** It was sent before, and no answer came. */
  readonly isRepeat?: boolean;
  /** Aborts when the call has taken as long as it may; its reason is a `TimeoutError`. */
  readonly timeUp?: AbortSignal;
  readonly traceparent: string;
  readonly tracestate?: string;
  /** `traceparent` is a span of ours that will be exported. */
  readonly isExported?: boolean;
}

/** What one forward says of its upstream's health. */
export type Health =
  /** An answer came, whatever it says. */
  | { readonly kind: "answered" }
  /** `tool_failed`: the upstream is there, and this tool of it fails. `waitMs`: it asked to be left alone so long. */
  | {
      readonly kind: "failed" | "tool_failed";
      readonly cause: string;
      readonly waitMs?: number;
    }
  /** Nothing: the caller left, or the gateway itself did not send. */
  | { readonly kind: "unsaid" };

/** One of several times that a call was sent. */
export interface Attempt {
  readonly isDryRun: boolean;
  readonly outcome: CallOutcome;
  readonly detail?: string;
  /** Since the first was sent. */
  readonly startedMs: number;
}

/** What a forward came to. `answer` is the face's own value, handed back untouched. */
export interface Forwarded<A> {
  readonly outcome: CallOutcome;
  readonly detail?: string;
  /** Of the upstream's answer: an HTTP status, or the code of a JSON-RPC error. */
  readonly statusCode?: number;
  readonly resultDigest?: string;
  readonly resultBytes: number;
  /** Absent: as its outcome says. */
  readonly health?: Health;
  /** Part of the answer has reached the caller, so the call cannot be sent again. */
  readonly hasBegun?: boolean;
  /** Absent when it was sent once. */
  readonly attempts?: readonly Attempt[];
  readonly answer: A;
}

/** Sends the judged call, once each time. Never throws: a broken upstream is an outcome. */
export type Forward<A> = (judged: Judged) => Promise<Forwarded<A>>;

/** The decision in wire words (DESIGN: Aegis), what an agent's model is shown. */
export interface Decision {
  readonly call_id: string;
  readonly decision: Outcome;
  readonly agent_id: string;
  readonly tool: ToolId;
  readonly effect: Effect;
  readonly risk: Risk;
  readonly reason: string;
  readonly policy_version: string;
  readonly determining_rules: readonly string[];
  readonly approval_id?: string;
  readonly pending_state?: "pending";
  /** RFC 3339: people may answer until then. Absent when they may take for ever. */
  readonly approval_expires_at?: string;
  /** Who said yes, where the call goes through because of it. */
  readonly approved_by?: readonly string[];
  /** Held back under this id. */
  readonly escrow_id?: string;
  readonly sanitized_payload?: { readonly digest: string; readonly redacted: JsonObject };
  /** What the agent can do now: one sentence. */
  readonly next: string;
  /** Not from policy but from the machinery (record not durable, no bundle, limits): a stable code. */
  readonly refusal?: RefusalCode;
  /** Which limit of the policy is full, and what is left of it. */
  readonly limit?: {
    readonly id: string;
    readonly left: number;
    readonly unit: "calls" | "micro_usd" | "tokens";
    /** Until there is room, to the second; absent: never, as the limit is declared. */
    readonly room_in_seconds?: number;
  };
  /** When trying again may make sense, where the machinery knows. */
  readonly retry_after_ms?: number;
}

export type RefusalCode =
  | "no_policy"
  | "record_failed"
  | "outcome_unrecorded"
  | "too_many_calls"
  | "unknown_server"
  | "stopping"
  /** A person stopped this call, by the kill switch. */
  | "paused"
  /** The kill switch has it decided and recorded only. */
  | "dry_run"
  /** The kill switch could not be read for its lease, so no write goes out. */
  | "kill_state_unknown"
  /** This site is not shown to be intact, or another one acts. */
  | "no_permit"
  /** It is, but for something that allows no more than this (reads only, or nothing). */
  | "degraded"
  /** A limit of the policy has no room: a rate, or a budget. */
  | "over_rate"
  | "over_budget"
  /** They could not be counted. */
  | "limits_unknown"
  /** People said no, or did not answer in time. */
  | "declined"
  | "approval_expired"
  /** Another call holds the grant. */
  | "approval_in_use"
  /** Whether there is a grant cannot be read. */
  | "approvals_unknown"
  | "too_many_approvals"
  /** More than people can be shown. */
  | "approval_too_large"
  /** Held back for people: queued, not executed. */
  | "escrowed"
  /** Writes here are held back, and this one cannot be queued. */
  | "read_only"
  /** It would have been queued, but there is no room, or the store could not be asked. */
  | "escrow_full"
  | "escrow_unknown"
  | OverrideRefusal
  /** The upstream, or this tool of it, keeps failing or is held by people: nothing is sent for a while. */
  | "breaker_open"
  /** As many calls as it takes are under way at the upstream. */
  | "upstream_busy";

export interface Governed<A> {
  readonly decision: Decision;
  /** The answer of policy that was recorded; absent when nothing was. */
  readonly verdict?: Verdict;
  /** `c2sp.org/tlog-proof@v1` of the decision entry; absent only when nothing could be recorded. */
  readonly receipt?: string;
  /** Present when the call was forwarded. */
  readonly forwarded?: Forwarded<A>;
}

/** One question about many candidates, none of which is forwarded. */
export interface Search<C> {
  readonly face: "authzen";
  /** `search/subject`, `search/resource`, `search/action`. */
  readonly method: string;
  /** Who asks. Uses up room, and is recorded as the one who learnt the results. */
  readonly asker: Identity;
  /** Recorded as it is: identifiers only. */
  readonly question: JsonObject;
  /** Of everything that was asked. */
  readonly questionDigest: string;
  readonly traceparent?: string;
  readonly candidates: readonly C[];
  readonly requestOf: (candidate: C) => ToolRequest;
  /** What is given out of a candidate so decided; undefined when it is none. */
  readonly resultOf: (candidate: C, decision: Decision) => JsonObject | undefined;
  readonly resultsMax: number;
  readonly candidatesMax: number;
  /** On the monotonic clock. At least one candidate is judged, so that a search always gets on. */
  readonly timeMsMax: number;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
}

export interface Searched {
  readonly callId: string;
  readonly policyVersion: string;
  readonly results: readonly JsonObject[];
  /** Candidates judged, from the first; fewer than there are when a bound ended the search. */
  readonly judged: number;
  /** Of these, refused by the machinery and not by policy: stopped by the kill switch. */
  readonly withheld: number;
  readonly receipt?: string;
}

/** The machinery refuses, not policy. */
export interface SearchRefusal {
  readonly code: RefusalCode;
  readonly callId: string;
  readonly reason: string;
  readonly next: string;
}

/** The spine as a face sees it. */
export interface Spine {
  govern<A>(request: ToolRequest, forward: Forward<A>): Promise<Governed<A>>;
  /** Decides and records without forwarding (AuthZEN). */
  evaluate(request: ToolRequest): Promise<Governed<never>>;
  /** Whether policy could ever let this identity call the tool; the filter of `tools/list`. */
  couldCall(
    identity: Identity,
    tool: ToolId,
    definition?: ToolDefinition,
    effectHint?: Effect,
  ): boolean;
  /**
   * Judges candidates as `evaluate` would, one after the other, records the question once, and only then gives the
   * results out (AuthZEN).
   */
  search<C>(asked: Search<C>): Promise<Result<Searched, SearchRefusal>>;
  /** True as soon as this approval is not pending any more; false when `timeoutMs` are over or `signal` aborts. */
  answered(approvalId: string, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /** The tools of the catalog that decides now, by id. */
  catalog(): readonly ToolId[];
  /** The revision that decides now, or undefined before any valid bundle. */
  policyVersion(): string | undefined;
  /** Called after each change of revision; returns the way to stop. */
  onPolicyChange(listener: () => void): () => void;
}

/** The answer of identification, shared by every face. */
export interface Identifier {
  /** From the request's headers (lower-case names, every value kept), or from the signature over the whole request. */
  identify(
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
    request?: FrontRequest,
  ): Promise<IdentifyAnswer>;
}

export type IdentifyAnswer =
  | { readonly ok: true; readonly identity: Identity }
  /** `challenge` is the value for `WWW-Authenticate` (RFC 6750, RFC 9728). */
  | {
      readonly ok: false;
      readonly status: 401 | 403;
      readonly reason: string;
      readonly challenge: string;
    };
