/** Who must approve: what a rule asks for when it says nothing, and what several rules ask for together. */
import { canonicalJson } from "../kernel/index.ts";
import type { ApprovalTerms, Approvers, Risk, Rule } from "./ir.ts";

/** One person of any group, a quarter of an hour to decide, five minutes to use it. */
export const defaultApproval: ApprovalTerms = {
  approvers: [{ groups: [], count: 1 }],
  expiresAfterSeconds: 900,
  useWithinSeconds: 300,
  batch: false,
};

export function termsOf(rule: Rule): ApprovalTerms {
  return rule.approval ?? defaultApproval;
}

/**
 * Whoever meets the combination meets each of its parts: of the same groups the greater number, as many people in all
 * as the part that asks for most, the shortest times, and at once only what every part lets be decided at once.
 */
export function combineApprovals(parts: readonly ApprovalTerms[], risk: Risk): ApprovalTerms {
  const asked = parts.length === 0 ? [defaultApproval] : parts;
  return {
    approvers: combineApprovers(asked.map(({ approvers }) => approvers)),
    expiresAfterSeconds: shortest(asked.map((each) => each.expiresAfterSeconds)),
    useWithinSeconds: Math.min(...asked.map((each) => each.useWithinSeconds)),
    batch: risk !== "critical" && asked.every(({ batch }) => batch),
  };
}

function shortest(times: readonly ApprovalTerms["expiresAfterSeconds"][]): number | "never" {
  const ending = times.filter((time) => time !== "never");
  return ending.length === 0 ? "never" : Math.min(...ending);
}

/** People of named groups also count as people of any, so that two rules which say nothing ask one person. */
function combineApprovers(parts: readonly (readonly Approvers[])[]): readonly Approvers[] {
  const named = new Map<string, Approvers>();
  for (const each of parts.flat()) {
    if (each.groups.length === 0) continue;
    const key = canonicalJson(each.groups);
    if (each.count > (named.get(key)?.count ?? 0)) named.set(key, each);
  }
  const approvers = [...named].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  const others = Math.max(...parts.map(peopleIn)) - peopleIn(approvers);
  return others > 0 ? [...approvers, { groups: [], count: others }] : approvers;
}

function peopleIn(approvers: readonly Approvers[]): number {
  return approvers.reduce((sum, { count }) => sum + count, 0);
}

/** `2 of payments-leads and 1 of risk or security, within 900 s; to be used within 300 s` */
export function approvalInWords(terms: ApprovalTerms): string {
  const people = terms.approvers.map(({ groups, count }) =>
    groups.length > 0 ? `${count} of ${groups.join(" or ")}` : `${count} of any group`,
  );
  const until = terms.expiresAfterSeconds;
  return [
    `${people.join(" and ")}, ${until === "never" ? "however long it takes" : `within ${until} s`}`,
    `to be used within ${terms.useWithinSeconds} s`,
    ...(terms.batch ? ["may be decided together with others"] : []),
  ].join("; ");
}
