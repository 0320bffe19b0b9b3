/** Who may ask for decisions about others: named by the operator, never by itself. */
import type { Identity } from "../identity/index.ts";

export interface EnforcementPoint {
  /** The agent name its own token proves, in this tenant: the same name elsewhere is somebody else. */
  readonly agent: string;
  readonly tenant: string;
  /** Obligation types it has promised to carry out. Empty: `sanitize` is answered false. */
  readonly obligations: readonly string[];
}

export function enforcementPointOf(
  { agent, tenant }: Identity,
  points: readonly EnforcementPoint[],
): EnforcementPoint | undefined {
  return points.find((point) => point.agent === agent && point.tenant === tenant);
}
