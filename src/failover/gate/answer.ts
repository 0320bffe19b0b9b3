/** What a probe found. Only a PASS lets anything through; why it is none is told apart for people. */
import type { JsonObject } from "../../kernel/index.ts";

/** `inconclusive`: no answer, or none that means anything; treated as a failure, and reported apart. */
export type ProbeVerdict = "pass" | "fail" | "inconclusive";

/** Binds an answer to one question: an answer for another site, round or epoch is none. */
export interface ProbeBinding {
  readonly deployment: string;
  readonly site: string;
  readonly epoch: number;
  /** Fresh for every question. Visible ASCII. */
  readonly nonce: string;
}

export interface ProbeAnswer extends ProbeBinding {
  readonly component: string;
  readonly verdict: ProbeVerdict;
  /** One sentence: what was seen, against what was expected. */
  readonly because: string;
  /** What was seen, for the evidence; holds no secret. */
  readonly observed: JsonObject;
  /** How firmly it is bound to the site: by its own words, or by the address that was asked. */
  readonly bound_by: "echo" | "address";
  /** RFC 3339 UTC. */
  readonly asked: string;
  readonly took_ms: number;
}
