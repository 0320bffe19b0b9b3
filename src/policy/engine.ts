/** The native engine: closures, indexed by tool and agent. */
import { assert, type JsonObject, type ToolId } from "../kernel/index.ts";
import { combineApprovals, termsOf } from "./approval.ts";
import { Candidates } from "./candidates.ts";
import { type Frame, membersMax } from "./closures.ts";
import {
  type AgentVerdict,
  combineChain,
  combineRules,
  type Finding,
  uniqueObligations,
} from "./combine.ts";
import {
  type Engine,
  modelNotAsked,
  type PolicyRequest,
  type PolicySubject,
  type Verdict,
} from "./decision.ts";
import type { Obligation, PolicySet, ToolDeclaration } from "./ir.ts";
import { limitMatcher } from "./limit.ts";
import { escrowMatcher } from "./read-escrow.ts";
import { keyOf, RegoAnswers, type RegoQuestion, regoInput } from "./rego-answers.ts";
import { isRego } from "./rego-modules.ts";
import { type CompiledRule, compileRule } from "./rule.ts";
import { Failure, unknown } from "./values.ts";

/**
 * Compiles a checked set (`loadPolicySet`, or a bundle). Throws `InvariantError` for a set that no loader lets through,
 * such as one with a pattern that RE2 refuses. `revision` is what records call `policy_version`.
 */
export function compile(set: PolicySet, revision: string): Engine {
  const rules = [...set.rules].sort((a, b) => (a.id < b.id ? -1 : 1)).map(compileRule);
  const tools = new Map(set.tools.map((tool) => [tool.id, tool]));
  const candidates = new Candidates(rules);
  const terms = new Map(rules.map(({ rule }) => [rule.id, termsOf(rule)]));
  const redactions = redactionsByTool(rules);
  const asksRego = set.rules.some(({ when }) => isRego(when));
  return {
    revision,
    decide: (request, answers = unasked) =>
      decide(request, answers, candidates, tools.get(request.action.name)),
    asksRego,
    regoQuestions: (request) => questionsOf(request, candidates),
    couldAllow: (subject, action) =>
      [subject.id, ...subject.delegation].every((agent) => {
        const verdict = partialVerdict(
          agent,
          subject,
          action,
          candidates.of(action.effect, action.name, agent),
          tools,
        );
        return verdict !== "deny";
      }),
    redactions,
    approvalOf: (determiningRules, risk) => {
      const asked = determiningRules.map((id) => {
        const found = terms.get(id);
        assert(found, `there is no rule ${id}`);
        return found;
      });
      return combineApprovals(asked, risk);
    },
    escrowOf: escrowMatcher(set.escrow ?? []),
    limits: set.limits,
    limitsOf: limitMatcher(set.limits),
    tools: [...tools.keys()].sort(),
    tool: (id) => tools.get(id),
  };
}

/** Tools whose redactions are remembered at most, and the longest name: names come from outside. */
const toolsRememberedMax = 4_096;
const toolRememberedCharactersMax = 1_024;

/** By rule id and position, without repetitions. */
function redactionsByTool(rules: readonly CompiledRule[]): Engine["redactions"] {
  const redacting = rules.filter((rule) => rule.redactions.length > 0);
  const remembered = new Map<ToolId, readonly Obligation[]>();
  return (tool) => {
    const known = remembered.get(tool);
    if (known !== undefined) return known;
    const found = uniqueObligations(
      redacting.filter((rule) => rule.fitsTool(tool)).flatMap((rule) => rule.redactions),
    );
    if (tool.length > toolRememberedCharactersMax) return found;
    if (remembered.size >= toolsRememberedMax) remembered.clear();
    remembered.set(tool, found);
    return found;
  };
}

type Action = PolicyRequest["action"];

const unasked = new RegoAnswers();

/** Of every rule that looks at this call, for each agent of the chain; the same question once. */
function questionsOf(request: PolicyRequest, candidates: Candidates): readonly RegoQuestion[] {
  const questions = new Map<string, RegoQuestion>();
  for (const agent of [request.subject.id, ...request.subject.delegation])
    for (const { rule } of candidates.of(request.action.effect, request.action.name, agent)) {
      const { when: condition } = rule;
      if (!isRego(condition)) continue;
      questions.set(keyOf(agent, condition), {
        agent,
        condition,
        input: regoInput(request, agent),
      });
    }
  return [...questions.values()];
}

function decide(
  request: PolicyRequest,
  answers: RegoAnswers,
  candidates: Candidates,
  tool: ToolDeclaration | undefined,
): Verdict {
  const { subject, action, args } = request;
  const judge = (agent: string): AgentVerdict => {
    const frame = frameFor(request, agent, answers);
    return combineRules(
      agent,
      findAll(candidates.of(action.effect, action.name, agent), frame, args, action, tool),
    );
  };
  return combineChain([judge(subject.id), ...subject.delegation.map(judge)]);
}

/** The roots as a condition sees them. For an agent of the chain, `subject.id` is that agent. */
export function frameFor(request: PolicyRequest, agent: string, answers: RegoAnswers): Frame {
  return {
    rego: { agent, answers },
    subject: subjectValue(request.subject, agent),
    action: request.action,
    resource: request.resource,
    args: request.args,
    context: request.context,
    model: request.model ?? modelNotAsked,
    locals: [],
    membersLeft: membersMax,
  };
}

function subjectValue(subject: PolicySubject, agent: string): JsonObject {
  const value = subject.id === agent ? subject : { ...subject, id: agent };
  return value as unknown as JsonObject;
}

function findAll(
  candidates: readonly CompiledRule[],
  frame: Frame,
  args: JsonObject,
  action: Action,
  tool: ToolDeclaration | undefined,
): Finding[] {
  const findings: Finding[] = [];
  for (const candidate of candidates) {
    const finding = findOne(candidate, frame, args, action, tool);
    if (finding) findings.push(finding);
  }
  return findings;
}

/** What one candidate rule comes to; undefined when its condition is false. */
export function findOne(
  candidate: CompiledRule,
  frame: Frame,
  args: JsonObject,
  action: Action,
  tool: ToolDeclaration | undefined,
): Finding | undefined {
  const { rule } = candidate;
  const holds = candidate.condition(frame);
  if (holds === false) return undefined;
  if (holds instanceof Failure)
    return { kind: "indeterminate", rule, failure: holds, opened: opens(candidate, action, tool) };
  const broken = candidate.brokenRequirement(args);
  return broken === undefined ? { kind: "true", rule } : { kind: "broken", rule, broken };
}

/** A read opens where the rule says so; a write only where the catalog says so, at risk `low`, and never for want of a fact of the model. */
function opens(
  candidate: CompiledRule,
  action: Action,
  tool: ToolDeclaration | undefined,
): boolean {
  if (action.effect === "read") return candidate.rule.onFailure === "open";
  return tool?.risk === "low" && tool.openOnFailure && !candidate.readsModel;
}

/** The verdict for one agent with arguments, resource and context unknown: "deny" only when nothing could change it. */
function partialVerdict(
  agent: string,
  subject: PolicySubject,
  action: Action,
  candidates: readonly CompiledRule[],
  tools: ReadonlyMap<ToolId, ToolDeclaration>,
): AgentVerdict["outcome"] | "open question" {
  const frame: Frame = {
    subject: subjectValue(subject, agent),
    action,
    resource: unknown,
    args: unknown,
    context: unknown,
    model: unknown,
    rego: unknown,
    locals: [],
    membersLeft: membersMax,
  };
  let letsThrough = false;
  for (const candidate of candidates) {
    const holds = candidate.condition(frame);
    if (holds === false) continue;
    const denies = candidate.rule.outcome === "deny";
    if (holds === true && denies) return "deny";
    if (holds instanceof Failure && holds !== unknown) {
      if (!opens(candidate, action, tools.get(action.name))) return "deny";
      continue;
    }
    letsThrough ||= !denies;
  }
  return letsThrough ? "open question" : "deny";
}
