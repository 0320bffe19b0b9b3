/**
 * Who asks about whom. The enforcement point proves who it is; the subject it asks about is its assertion. So an
 * enforcement point is named in the configuration before it may ask about anyone but itself.
 */

import type { Identity } from "../../identity/index.ts";
import {
  err,
  isJsonArray,
  type JsonValue,
  ok,
  type Result,
  type ToolId,
} from "../../kernel/index.ts";
import type { ToolRequest } from "../call.ts";
import type { Question } from "./question.ts";

export interface EnforcementPoint {
  /** The agent name its own token proves. */
  readonly agent: string;
  /** Obligation types it has promised to carry out. Empty: `sanitize` is answered false. */
  readonly obligations: readonly string[];
}

/** The only obligation an evaluation can carry so far: send `arguments` instead of what the agent gave. */
export const replaceArguments = "replace_arguments";

/**
 * The request to judge. `subject` of type `agent` is that agent; any other type is named `type:id`, so that a user
 * `bot` is never the agent `bot`. The tenant is always the enforcement point's own.
 */
export function asToolRequest(
  question: Question,
  caller: Identity,
  known: EnforcementPoint | undefined,
): Result<ToolRequest, string> {
  const { subject, action, resource, context } = question;
  const agent = subject.type === "agent" ? subject.id : `${subject.type}:${subject.id}`;
  const itself = agent === caller.agent;
  if (known === undefined && !itself) {
    return err(
      `${caller.agent} is not configured as an enforcement point, so it may ask only about itself`,
    );
  }
  const common = {
    face: "authzen",
    method: "evaluation",
    tool: toolOf(question),
    resource,
    args: action.properties,
    context,
  } as const;
  if (itself) return ok({ ...common, identity: caller });
  const { model, principal, delegation } = subject.properties;
  const identity: Identity = {
    agent,
    tenant: caller.tenant,
    delegation: strings(delegation),
    how: "asserted",
    expiresAtMs: caller.expiresAtMs,
    properties: subject.properties,
    ...(typeof model === "string" ? { model } : {}),
    ...(typeof principal === "string" ? { principal } : {}),
  };
  return ok({ ...common, identity, caller });
}

/** A resource of type `tool` is the tool; else an action named like a tool id; else `resource type:action`. */
function toolOf({ action, resource }: Question): ToolId {
  if (resource.type === "tool" && isToolId(resource.id)) return resource.id;
  return isToolId(action.name) ? action.name : `${resource.type}:${action.name}`;
}

function isToolId(text: string): text is ToolId {
  const at = text.indexOf(":");
  return at > 0 && at < text.length - 1;
}

/** A malformed chain is not dropped: it becomes a delegate no policy can know, which denies. */
function strings(value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (isJsonArray(value) && value.every((one) => typeof one === "string"))
    return value as readonly string[];
  return ["\u0000malformed delegation"];
}

/** Whether this enforcement point promised, in its configuration and in this request, to carry out the obligation. */
export function honours(
  known: EnforcementPoint | undefined,
  question: Question,
  obligation: string,
): boolean {
  const said = question.context["obligations_supported"];
  return (
    known?.obligations.includes(obligation) === true &&
    isJsonArray(said) &&
    said.includes(obligation)
  );
}
