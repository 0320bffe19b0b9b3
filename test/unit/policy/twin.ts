/**
 * The twin: the whole meaning of a policy set, written for reading, with none of the engine's code. What the engine and
 * the Rego answer is compared with what this answers.
 */
import type { JsonValue } from "../../../src/kernel/index.ts";
import type { PolicyRequest, Verdict } from "../../../src/policy/decision.ts";
import type { FieldPath, Obligation, Outcome, PolicySet, Rule } from "../../../src/policy/ir.ts";
import { evaluate, NoValue } from "./twin-values.ts";

const strictestFirst: readonly Outcome[] = ["deny", "approval_needed", "sanitize", "allow"];

interface AgentAnswer {
  readonly agent: string;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly determining: readonly string[];
  readonly indeterminate: readonly string[];
  readonly opened: boolean;
  /** True rules whose requirements hold. */
  readonly holding: readonly Rule[];
}

export function twinDecide(set: PolicySet, request: PolicyRequest): Verdict {
  const chain = [request.subject.id, ...request.subject.delegation];
  const answers = chain.map((agent) => answerFor(agent, set, request));
  const outcome =
    strictestFirst.find((one) => answers.some((answer) => answer.outcome === one)) ?? "deny";
  const deciding = answers.filter((answer) => answer.outcome === outcome);
  const first = deciding[0] as AgentAnswer;
  const suffix = first === answers[0] ? "" : ` (for ${first.agent} in the delegation chain)`;
  return {
    outcome,
    reason: first.reason + suffix,
    determiningRules: unique(deciding.flatMap((answer) => answer.determining)),
    indeterminate: unique(answers.flatMap((answer) => answer.indeterminate)).map((rule) => ({
      rule,
      why: "",
    })),
    obligations: outcome === "deny" ? [] : duties(answers.flatMap((answer) => answer.holding)),
    opened: answers.some((answer) => answer.opened),
  };
}

function answerFor(agent: string, set: PolicySet, request: PolicyRequest): AgentAnswer {
  const candidates = set.rules.filter((rule) => looksAt(rule, agent, request));
  const truth = new Map(candidates.map((rule) => [rule, truthOf(rule, agent, request)]));
  const trueRules = candidates.filter((rule) => truth.get(rule) === true);
  const unclear = candidates.filter((rule) => truth.get(rule) === "none");
  const passed = unclear.filter((rule) => opens(rule, set, request));
  const breach = (rule: Rule): string | undefined => firstBreach(rule, request);
  const denying = trueRules.filter((rule) => rule.outcome === "deny" || breach(rule) !== undefined);
  const stuck = unclear.filter((rule) => !passed.includes(rule));
  const common = {
    agent,
    indeterminate: unclear.map((rule) => rule.id),
    opened: passed.length > 0,
    holding: trueRules.filter((rule) => breach(rule) === undefined),
  };
  if (denying.length > 0) {
    const rule = lowest(denying);
    const broken = breach(rule);
    const reason = broken === undefined ? rule.reason : `${rule.reason}: ${broken}`;
    return { ...common, outcome: "deny", reason, determining: denying.map(({ id }) => id) };
  }
  if (stuck.length > 0) {
    const reason = `the rule ${lowest(stuck).id} could not be evaluated`;
    return { ...common, outcome: "deny", reason, determining: stuck.map(({ id }) => id) };
  }
  for (const outcome of strictestFirst) {
    const saying = trueRules.filter((rule) => rule.outcome === outcome);
    if (saying.length > 0) {
      const { reason } = lowest(saying);
      return { ...common, outcome, reason, determining: saying.map(({ id }) => id) };
    }
  }
  return { ...common, outcome: "deny", reason: "no rule allows this", determining: [] };
}

function looksAt({ match }: Rule, agent: string, { action }: PolicyRequest): boolean {
  if (match.effect !== undefined && match.effect !== action.effect) return false;
  if (match.agents && !match.agents.some((pattern) => fits(pattern, agent))) return false;
  return !match.tools || match.tools.some((pattern) => fits(pattern, action.name));
}

function fits(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern[0] === "*")
    return fits(pattern.slice(1), name) || (name !== "" && fits(pattern, name.slice(1)));
  return pattern[0] === name[0] && fits(pattern.slice(1), name.slice(1));
}

function truthOf(rule: Rule, agent: string, request: PolicyRequest): boolean | "none" {
  if (rule.when === undefined) return true;
  // Nobody asked.
  if (rule.when.op === "rego") return "none";
  const names = new Map<string, JsonValue>([
    ["root subject", { ...request.subject, id: agent } as unknown as JsonValue],
    ["root action", request.action as unknown as JsonValue],
    ["root resource", request.resource as unknown as JsonValue],
    ["root args", request.args],
    ["root context", request.context],
    ["root model", (request.model ?? { known: false, why: "not_asked" }) as unknown as JsonValue],
  ]);
  try {
    const value = evaluate(rule.when, names);
    return typeof value === "boolean" ? value : "none";
  } catch (thrown) {
    if (thrown instanceof NoValue) return "none";
    throw thrown;
  }
}

function opens(rule: Rule, set: PolicySet, { action }: PolicyRequest): boolean {
  if (action.effect === "read") return rule.onFailure === "open";
  const tool = set.tools.find(({ id }) => id === action.name);
  const looksAtModel = JSON.stringify(rule.when ?? null).includes('"op":"root","name":"model"');
  return tool !== undefined && tool.risk === "low" && tool.openOnFailure && !looksAtModel;
}

function firstBreach(rule: Rule, { args }: PolicyRequest): string | undefined {
  for (const duty of rule.obligations) {
    if (duty.kind !== "require") continue;
    const ends = branches(args, duty.path);
    const holds = ends.every((end) =>
      end === "missing" ? !duty.required : new RegExp(duty.pattern, "u").test(end.text),
    );
    const scalar = ends.every((end) => end === "missing" || end.scalar);
    if (!holds || !scalar) return `${written(duty.path)} does not satisfy ${duty.pattern}`;
  }
  return undefined;
}

type End = "missing" | { readonly scalar: boolean; readonly text: string };

/** Where each branch of the path ends. */
function branches(value: JsonValue, path: FieldPath): readonly End[] {
  const [name, ...rest] = path;
  if (name === undefined) {
    if (typeof value === "string") return [{ scalar: true, text: value }];
    const scalar = typeof value === "number" || typeof value === "boolean";
    return [{ scalar, text: JSON.stringify(value) }];
  }
  if (name === "*") {
    if (value === null || typeof value !== "object") return ["missing"];
    return Object.values(value).flatMap((one) => branches(one, rest));
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return ["missing"];
  const found = Object.entries(value).find(([key]) => key === name);
  return found ? branches(found[1] as JsonValue, rest) : ["missing"];
}

function written(path: FieldPath): string {
  return path.reduce((text, name) => {
    if (name === "*") return `${text}[*]`;
    return /^[A-Za-z_]\w*$/.test(name) ? `${text}.${name}` : `${text}[${JSON.stringify(name)}]`;
  }, "args");
}

function duties(rules: readonly Rule[]): readonly Obligation[] {
  const ordered = [...new Set(rules)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const all = ordered.flatMap((rule) => rule.obligations);
  const key = (duty: Obligation): string => JSON.stringify(sortKeys(duty as unknown as JsonValue));
  return all.filter((duty, i) => all.findIndex((other) => key(other) === key(duty)) === i);
}

function sortKeys(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, inner]) => [key, sortKeys(inner)]);
}

function lowest(rules: readonly Rule[]): Rule {
  return rules.reduce((least, rule) => (rule.id < least.id ? rule : least));
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}
