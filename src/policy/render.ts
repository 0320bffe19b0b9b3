/** An explanation as text for a terminal. */
import { canonicalJson, type JsonValue } from "../kernel/index.ts";
import { approvalInWords } from "./approval.ts";
import type { ExplainedRule, ExplainedValue, Explanation } from "./explain.ts";
import { limitInWords } from "./limit.ts";

const shownCharactersMax = 120;

/** Rules that look at the call come with their reasons; the others are one line each. */
export function renderExplanation(explanation: Explanation): string {
  const { verdict, tool, approval, agents } = explanation;
  const rules = verdict.determiningRules.join(", ") || "no rule";
  const declared = tool
    ? `${tool.id} is a ${tool.effect} of risk ${tool.risk}`
    : "the tool is not in the catalog";
  const head = [
    `${verdict.outcome}: ${verdict.reason}`,
    `  decided by ${rules}`,
    ...(approval ? [`  needs ${approvalInWords(approval)}`] : []),
    `  ${declared}`,
  ];
  return [...head, ...agents.flatMap(renderAgent)].join("\n");
}

function renderAgent({ agent, rules, limits }: Explanation["agents"][number]): string[] {
  const looking = rules.filter(({ result }) => result !== "not_matched");
  const others = rules.filter(({ result }) => result === "not_matched");
  return [
    "",
    `for ${agent}`,
    ...looking.flatMap(renderRule),
    ...others.map((rule) => `  -  ${rule.rule}  other ${rule.unfit.join(" and ")}`),
    ...limits.map((limit) => `  counted by ${limitInWords(limit)}  ${limit.source}`),
  ];
}

const marks: Readonly<Record<ExplainedRule["result"], string>> = {
  true: "✓",
  false: "✗",
  broken: "!",
  indeterminate: "?",
  not_matched: "-",
};

function renderRule(rule: ExplainedRule): string[] {
  const opened = rule.opened ? ", passed over (on_failure: open)" : "";
  const result = rule.result === "broken" ? "denies: a requirement fails" : rule.result;
  return [
    `  ${marks[rule.result]}  ${rule.rule} (${rule.outcome})  ${result}${opened}  ${rule.source}`,
    ...(rule.condition ? [`       when ${renderValue(rule.condition)}`] : []),
    ...rule.deciding
      .filter(({ text }) => text !== rule.condition?.text)
      .map((part) => `            ${renderValue(part)}`),
    ...rule.requirements.map(
      ({ path, pattern, holds }) =>
        `       ${path} ${holds ? "satisfies" : "does not satisfy"} ${pattern}`,
    ),
  ];
}

function renderValue(part: ExplainedValue): string {
  return "why" in part
    ? `${part.text}  cannot be evaluated: ${part.why}`
    : `${part.text}  is ${shorten(part.value)}`;
}

function shorten(value: JsonValue): string {
  const text = canonicalJson(value);
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}
