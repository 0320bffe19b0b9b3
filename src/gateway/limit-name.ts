/** The configured limit behind a refusal, so that whoever may change it knows its name. */
import type { JsonRefusalKind } from "../kernel/index.ts";

/** To put behind the detail of a refused JSON text; empty when no limit was the reason. */
export function limitName(kind: JsonRefusalKind): string {
  if (kind === "too_deep") return " (limits.depth_max)";
  return kind === "too_large" ? " (limits.body_bytes_max)" : "";
}
