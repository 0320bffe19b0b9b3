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
import { subjectName } from "../directory.ts";
import { type EnforcementPoint, enforcementPointOf } from "../enforcement-point.ts";
import type { Question } from "./question.ts";

/** Who asks: proven, and known as an enforcement point or not. */
export interface Asker {
  readonly identity: Identity;
  readonly known: EnforcementPoint | undefined;
}

/** The only obligation an evaluation can carry so far: send `arguments` instead of what the agent gave. */
export const replaceArguments = "replace_arguments";

export function askerOf(identity: Identity, points: readonly EnforcementPoint[]): Asker {
  return { identity, known: enforcementPointOf(identity, points) };
}

/** Whether this asker may ask about this subject; why not. Nobody but an enforcement point asks about others. */
export function mayAskAbout(subject: string, { identity, known }: Asker): Result<void, string> {
  if (known !== undefined || subject === identity.agent) return ok(undefined);
  return err(
    `${identity.agent} is not configured as an enforcement point, so it may ask only about itself`,
  );
}

/**
 * The request to judge. `subject` of type `agent` is that agent; any other type is named `type:id`, so that a user
 * `bot` is never the agent `bot`. The tenant is always the enforcement point's own.
 */
export function asToolRequest(question: Question, asker: Asker): Result<ToolRequest, string> {
  const { subject, action, resource, context } = question;
  const agent = subjectName(subject.type, subject.id);
  const may = mayAskAbout(agent, asker);
  if (!may.ok) return may;
  const caller = asker.identity;
  const common = {
    face: "authzen",
    method: "evaluation",
    tool: toolOf(question),
    resource,
    args: action.properties,
    context,
  } as const;
  if (agent === caller.agent) return ok({ ...common, identity: caller });
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
export function toolOf({ action, resource }: Pick<Question, "action" | "resource">): ToolId {
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
export function honours({ known }: Asker, question: Question, obligation: string): boolean {
  const said = question.context["obligations_supported"];
  return (
    known?.obligations.includes(obligation) === true &&
    isJsonArray(said) &&
    said.includes(obligation)
  );
}
