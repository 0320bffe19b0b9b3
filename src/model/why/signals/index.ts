/** Evidence from telemetry: what deviates from its own past, since when, and who cannot be explained by another. */
import type { Found } from "../finding.ts";

export function signalEvidence(): Found {
  return { findings: [] };
}
