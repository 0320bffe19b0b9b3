/** One rule, compiled: does it look at this call, and what does it say. */
import { assert, canonicalJson, type JsonObject, type JsonValue } from "../kernel/index.ts";
import { type Compiled, compileExpr, type Frame } from "./closures.ts";
import { mentions } from "./expr-parts.ts";
import { formatFieldPath, valuesAt } from "./field-path.ts";
import { anyGlob } from "./glob.ts";
import type { Effect, Obligation, Rule } from "./ir.ts";
import { compileRegex } from "./regex.ts";
import { isRego } from "./rego-modules.ts";
import { Failure, typeName } from "./values.ts";

export type Requirement = Extract<Obligation, { kind: "require" }>;

export interface CompiledRule {
  readonly rule: Rule;
  readonly redactions: readonly Obligation[];
  fitsAgent(agent: string): boolean;
  fitsTool(tool: string): boolean;
  fitsEffect(effect: Effect): boolean;
  /** Its condition looks at facts of the runtime model, and so never opens a write. */
  readonly readsModel: boolean;
  /** True, false, or why it could not be told. */
  condition(frame: Frame): boolean | Failure;
  /** The first requirement that the arguments fail, as a sentence; undefined when all hold. */
  brokenRequirement(args: JsonObject): string | undefined;
}

export function compileRule(rule: Rule): CompiledRule {
  const { effect } = rule.match;
  const requirements = rule.obligations
    .filter((obligation) => obligation.kind === "require")
    .map(compileRequirement);
  return {
    rule,
    redactions: rule.obligations.filter(({ kind }) => kind === "redact"),
    fitsAgent: anyGlob(rule.match.agents),
    fitsTool: anyGlob(rule.match.tools),
    fitsEffect: (asked) => effect === undefined || effect === asked,
    // What users' own Rego looks at is not known; it is given the facts, so it may.
    readsModel: rule.when !== undefined && (isRego(rule.when) || mentions(rule.when, "model")),
    condition: rule.when === undefined ? () => true : compileCondition(compileWhen(rule.when)),
    brokenRequirement: (args) => {
      for (const holds of requirements) {
        const broken = holds(args);
        if (broken !== undefined) return broken;
      }
      return undefined;
    },
  };
}

/** A condition of either kind. */
export function compileWhen(when: NonNullable<Rule["when"]>): Compiled {
  if (when.op !== "rego") return compileExpr(when);
  const unasked = new Failure("its Rego was not asked");
  return ({ rego = unasked }) => {
    if (rego instanceof Failure) return rego;
    const answer = rego.answers.of(rego.agent, when);
    return typeof answer === "boolean" ? answer : new Failure(answer.why);
  };
}

function compileCondition(when: Compiled): (frame: Frame) => boolean | Failure {
  return (frame) => {
    const value = when(frame);
    if (typeof value === "boolean" || value instanceof Failure) return value;
    return new Failure(`the condition is a ${typeName(value)}, not a bool`);
  };
}

function compileRequirement(requirement: Requirement): (args: JsonObject) => string | undefined {
  const test = requirementTest(requirement);
  const broken = `${formatFieldPath(requirement.path)} does not satisfy ${requirement.pattern}`;
  return (args) => (valuesAt(args, requirement.path).every(test) ? undefined : broken);
}

/** Whether one value (or an absent one) satisfies the requirement. */
export function requirementTest(
  requirement: Requirement,
): (value: JsonValue | undefined) => boolean {
  const search = compileRegex(requirement.pattern);
  assert(search.ok, `the pattern ${requirement.pattern} was checked when the policy was loaded`);
  // A text that is too long to be searched does not satisfy: what cannot be shown is refused.
  const holds = (text: string): boolean =>
    text.length <= search.value.charactersMax && search.value.test(text);
  return (value) => {
    if (value === undefined) return !requirement.required;
    if (typeof value === "string") return holds(value);
    if (typeof value === "number" || typeof value === "boolean") return holds(canonicalJson(value));
    return false;
  };
}
