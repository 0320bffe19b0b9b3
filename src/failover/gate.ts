/** The phases of the gate of one deployment at one site. */
export type GatePhase =
  | "standby"
  | "fenced"
  | "validating"
  | "remediating"
  | "ready"
  | "blocked"
  | "degraded"
  | "revoked";
