/** Stages 4 and 5: facts become one value, and the policy answers. Pure; microseconds. */
import type { Identity } from "../identity/index.ts";
import type { JsonObject } from "../kernel/index.ts";
import type {
  Engine,
  PolicyRequest,
  PolicySubject,
  RegoAnswers,
  Verdict,
} from "../policy/index.ts";
import type { ToolRequest } from "./call.ts";
import type { Directory } from "./directory.ts";
import type { ResolvedTool } from "./resolve.ts";

/** Facts of this moment that every call is judged on. A missing one is absent from `context`, which policy sees. */
export interface Facts {
  readonly site: string;
  readonly wallMs: number;
  readonly directory: Directory;
}

export function policySubject(identity: Identity): PolicySubject {
  return {
    type: "agent",
    id: identity.agent,
    ...(identity.model === undefined ? {} : { model: identity.model }),
    ...(identity.principal === undefined ? {} : { principal: identity.principal }),
    tenant: identity.tenant,
    delegation: identity.delegation,
    properties: identity.properties,
  };
}

export function policyAction(tool: ResolvedTool): PolicyRequest["action"] {
  return { name: tool.id, effect: tool.effect, risk: tool.risk, properties: {} };
}

export function policyRequest(
  request: ToolRequest,
  tool: ResolvedTool,
  facts: Facts,
): PolicyRequest {
  const context: JsonObject = {
    ...request.context,
    face: request.face,
    method: request.method,
    site: facts.site,
    time_ms: facts.wallMs,
  };
  const { identity } = request;
  const resource = request.resource ?? { type: "tool", id: tool.id, properties: {} };
  return {
    subject: policySubject(facts.directory.completeSubject(identity)),
    action: policyAction(tool),
    resource: facts.directory.completeResource(identity.tenant, resource),
    args: request.args,
    context,
  };
}

/** No policy was ever loaded: nothing is allowed, and the reason says so. */
export const noPolicyVerdict: Verdict = {
  outcome: "deny",
  reason: "no valid policy bundle is loaded, so nothing is allowed",
  determiningRules: [],
  indeterminate: [],
  obligations: [],
  opened: false,
};

export function decide(
  engine: Engine | undefined,
  request: PolicyRequest,
  answers?: RegoAnswers,
): Verdict {
  return engine === undefined ? noPolicyVerdict : engine.decide(request, answers);
}

/** Judges a question as it was put; one that contradicts the catalog is denied, whatever the rules say. */
export function decideAsked(
  engine: Engine | undefined,
  question: PolicyRequest,
  tool: ResolvedTool,
  answers?: RegoAnswers,
): Verdict {
  const { effect, risk } = question.action;
  if (engine === undefined || (effect === tool.effect && risk === tool.risk))
    return decide(engine, question, answers);
  const reason = `the request says ${tool.id} is a ${effect} of risk ${risk}, the catalog says it is a ${tool.effect} of risk ${tool.risk}`;
  return { ...noPolicyVerdict, reason };
}
