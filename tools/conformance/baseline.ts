/** The frozen list in `baseline.yaml`: what was found through the gateway when somebody last looked. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Document, isMap, parse, visit } from "yaml";
import type { Check, Status } from "./check-list.ts";
import type { Leg } from "./legs.ts";
import type { Revision, Role } from "./suite.ts";

/** Checks that are not as they should be, with the reason why that is right. Written by people. */
export interface Reviewed {
  readonly role: Role;
  readonly revisions: readonly Revision[];
  readonly scenarios: readonly string[];
  /** When absent, all checks of the scenarios; a scenario that the revision requires must name its checks. */
  readonly checks?: readonly string[];
  readonly why: string;
}

type Frozen = Readonly<Partial<Record<Status, readonly string[]>>>;

export interface Baseline {
  /** The version of the suite that found this. */
  readonly suite: string;
  readonly reviewed: readonly Reviewed[];
  readonly checks: Readonly<
    Partial<Record<Role, Readonly<Partial<Record<Revision, Readonly<Record<string, Frozen>>>>>>>
  >;
}

export const baselinePath: string = join(import.meta.dirname, "baseline.yaml");

export function readBaseline(): Baseline {
  return parse(readFileSync(baselinePath, "utf8")) as Baseline;
}

/** The frozen checks of one role and revision. */
export function frozenChecks(
  { checks }: Baseline,
  role: Role,
  revision: Revision,
): readonly Check[] {
  return Object.entries(checks[role]?.[revision] ?? {}).flatMap(([scenario, byStatus]) =>
    Object.entries(byStatus).flatMap(([status, ids]) =>
      (ids ?? []).map((check) => ({ scenario, check, status: status as Status })),
    ),
  );
}

/** Writes what was found as the new frozen list; the reviewed part stays as people wrote it. */
export function writeBaseline(before: Baseline, suite: string, legs: readonly Leg[]): void {
  const checks = structuredClone(before.checks) as Record<string, Record<string, unknown>>;
  for (const { role, revision, through } of legs)
    checks[role] = { ...checks[role], [revision]: grouped(through) };
  const document = new Document({ suite, reviewed: before.reviewed, checks });
  document.commentBefore = [
    " What the official conformance suite finds of the gateway. `checks` is written by",
    " `npm run conformance -- --update`; `reviewed` by people: why a check that does not pass is right.",
  ].join("\n");
  // One line for a scenario, so that a change of one shows as one.
  visit(document, {
    Map: (_key, node, path) => {
      if (path.length > 7 && isMap(node)) node.flow = true;
    },
  });
  writeFileSync(baselinePath, document.toString({ lineWidth: 0, flowCollectionPadding: true }));
}

function grouped(checks: readonly Check[]): Readonly<Record<string, Frozen>> {
  const scenarios: Record<string, Partial<Record<Status, string[]>>> = {};
  for (const { scenario, check, status } of checks) {
    const { [scenario]: byStatus = {} } = scenarios;
    scenarios[scenario] = { ...byStatus, [status]: [...(byStatus[status] ?? []), check] };
  }
  return scenarios;
}
