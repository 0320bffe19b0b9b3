/** One finished call, as telemetry sees it. */

/** One finished call, for metrics and spans. `*Ms` on the monotonic clock. */
export interface CallObservation {
  readonly callId: string;
  readonly face: "mcp" | "http" | "authzen" | "opa";
  readonly method: string;
  readonly agentId: string;
  readonly model?: string;
  readonly server: string;
  readonly tool: string;
  readonly decision: string;
  readonly reason: string;
  readonly policyVersion: string;
  readonly costMicroUsd: number;
  readonly wallStartMs: number;
  readonly decideMs: number;
  readonly recordMs: number;
  readonly forwardMs: number;
  readonly totalMs: number;
  /** `ok`, `tool_error`, `refused`, `evaluated` (decided without forwarding), `not_sent`, `unknown`. */
  readonly outcome: string;
  /** W3C trace context of the caller, when it sent one. */
  readonly traceparent?: string;
  readonly requestId?: string;
  /** MCP: the revision the caller speaks, and what it asked for when that is not a tool. */
  readonly protocolVersion?: string;
  readonly prompt?: string;
  readonly resourceUri?: string;
  /** MCP: what its semantic conventions call the error in the answer (`tool_error`, a JSON-RPC code), if it is one. */
  readonly answeredError?: string;
  /** Of the upstream's answer: an HTTP status, or the code of a JSON-RPC error. */
  readonly statusCode?: number;
}

/** What came beside the caller's `traceparent`. */
export interface TraceBeside {
  /** Belongs to it (W3C Trace Context, section 3.3). */
  readonly tracestate?: string;
  /** The `traceparent` of the HTTP request around a message that names its own: linked, not continued. */
  readonly around?: string;
}
