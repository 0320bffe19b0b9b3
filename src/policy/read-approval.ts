/** `approval:` of a rule: who must say yes, and for how long the question and the answer live. */
import { canonicalJson } from "../kernel/index.ts";
import { defaultApproval } from "./approval.ts";
import type { Catalog } from "./catalog.ts";
import type { Report } from "./decode.ts";
import { anyGlob } from "./glob.ts";
import type { ApprovalTerms, Approvers } from "./ir.ts";
import type { SourceApproval, SourceApprovers, SourceRule } from "./source.ts";

/** Different requirements of one rule at most. */
const requirementsMax = 8;

/** What the rule does not say is as in `defaultApproval`. */
export function readApproval(
  rule: SourceRule,
  tools: readonly string[] | undefined,
  catalog: Catalog,
  report: Report,
): ApprovalTerms {
  const { approval: source, outcome } = rule;
  if (!source) return defaultApproval;
  if (outcome && outcome.value !== "approval_needed")
    report(source.at, {
      code: "bad-approval",
      message: `approval is for the outcome approval_needed; ${outcome.value} asks nobody`,
    });
  reportBatchOfCritical(source, tools, catalog, report);
  return {
    approvers: readApprovers(source, report),
    expiresAfterSeconds: source.expires_after_seconds ?? defaultApproval.expiresAfterSeconds,
    useWithinSeconds: source.use_within_seconds ?? defaultApproval.useWithinSeconds,
    batch: source.batch?.value ?? defaultApproval.batch,
  };
}

function readApprovers(source: SourceApproval, report: Report): readonly Approvers[] {
  const sources = source.approvers ?? [];
  const seen = new Set<string>();
  for (const each of sources) {
    const key = canonicalJson(groupsOf(each));
    if (seen.has(key))
      report(each.at, {
        code: "bad-approval",
        message: "these groups are asked twice",
        hint: "say how many people in one place, with count",
      });
    seen.add(key);
  }
  if (sources.length > requirementsMax)
    report(source.at, {
      code: "out-of-range",
      message: `${sources.length} kinds of approvers are over ${requirementsMax}`,
    });
  if (sources.length === 0) return defaultApproval.approvers;
  return sources.map((each) => ({ groups: groupsOf(each), count: each.count ?? 1 }));
}

/** In one order, each once. */
function groupsOf({ groups }: SourceApprovers): readonly string[] {
  return [...new Set((groups ?? []).map(({ value }) => value))].sort();
}

function reportBatchOfCritical(
  { batch }: SourceApproval,
  tools: readonly string[] | undefined,
  catalog: Catalog,
  report: Report,
): void {
  if (batch?.value !== true || tools === undefined) return;
  const fits = anyGlob(tools);
  const fitting = [...catalog.tools.values()].filter(({ id }) => fits(id));
  if (fitting.length > 0 && fitting.every(({ risk }) => risk === "critical"))
    report(batch.at, {
      code: "bad-approval",
      message: "each call of risk critical is decided by itself, never in a batch",
    });
}
