/**
 * The second backend: a policy set as Rego for a stock OPA (0.59 or newer). Rules and tools stay data; conditions become
 * functions. `input` is a `PolicyRequest` in canonical JSON; `data.holdfast.verdict` is its `Verdict`.
 */
import type { JsonObject } from "../kernel/index.ts";
import { formatFieldPath } from "./field-path.ts";
import type { Obligation, PolicySet, Rule } from "./ir.ts";
import { regoTerm } from "./rego-expr.ts";
import { isRego } from "./rego-modules.ts";
import { valueModule } from "./rego-value.ts";
import { verdictModule } from "./rego-verdict.ts";

/** Texts of the modules by path in the bundle, sorted. Deterministic. */
export function regoModules(set: PolicySet): Readonly<Record<string, string>> {
  return {
    "holdfast/conditions.rego": conditionsModule(set),
    "holdfast/value.rego": valueModule,
    "holdfast/verdict.rego": verdictModule,
  };
}

/** The base document beside the modules: the set itself, and the words for broken requirements. */
export function regoDocument(set: PolicySet): JsonObject {
  const rules = byId(set.rules);
  return {
    holdfast: {
      policy: { ...set, rules } as unknown as JsonObject,
      wording: Object.fromEntries(
        rules
          .filter((rule) => rule.obligations.some(({ kind }) => kind === "require"))
          .map((rule) => [rule.id, rule.obligations.map(wordingOf)]),
      ),
    },
  };
}

/** Empty for what is no requirement, so that positions are those of the rule. */
function wordingOf(obligation: Obligation): string {
  return obligation.kind === "require"
    ? `${formatFieldPath(obligation.path)} does not satisfy ${obligation.pattern}`
    : "";
}

const heading = `# Conditions of the rules, made from the policy files. holds(rule, roots) is {"ok": true}, {"ok": false} or {"error": why}.
package holdfast.conditions

import rego.v1

import data.holdfast.value

# No rule has this name: the function exists also when no rule has a condition.
holds("", _) := value.ok(false)
`;

/** OPA does not run the modules of others, so it must not be laxer than the gateway, which does. */
const onlyTheGateway = `{"error": "only a gateway runs the Rego of this condition"}`;

function conditionsModule(set: PolicySet): string {
  return [heading, ...byId(set.rules).flatMap(condition)].join("\n");
}

function condition(rule: Rule): readonly string[] {
  if (rule.when === undefined) return [];
  const comment = `${rule.source}: ${rule.outcome}: ${rule.reason}`.replaceAll(
    /[\p{Cc}\u2028\u2029]+/gu,
    " ",
  );
  const when = isRego(rule.when) ? onlyTheGateway : regoTerm(rule.when);
  return [`# ${comment}\nholds(${JSON.stringify(rule.id)}, roots) := ${when}\n`];
}

/** Order of files and rules never shows. */
function byId(rules: readonly Rule[]): readonly Rule[] {
  return rules.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
