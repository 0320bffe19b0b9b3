/** A call as an item of the queue, and an item as the call it was: the same question is put to policy both times. */
import type { Cause, Draft, EscrowItem } from "../../escrow/index.ts";
import type { Identity } from "../../identity/index.ts";
import { digestOf, isJsonObject, type JsonObject, splitToolId } from "../../kernel/index.ts";
import type { Face, Later, ToolRequest } from "../call.ts";
import type { Asked, Judgement } from "../judge.ts";
import { asJson, forRecord } from "../oblige.ts";

/** What is carried beside the arguments: who asked, what policy looks at, what the face needs to send it. */
interface Carried {
  readonly identity: JsonObject;
  readonly question: JsonObject;
  readonly send: JsonObject;
}

/** What would have been forwarded. */
export function draftOf(
  asked: Asked,
  { obliged }: Judgement,
  later: Later,
  cause: Cause,
  instance: string,
): Draft {
  const { callId, request, tool, engine, policyVersion } = asked;
  const { identity } = request;
  const carried: Carried = {
    identity: identity as unknown as JsonObject,
    question: questionOf(request),
    send: later.carry,
  };
  return {
    id: callId,
    ...{ upstream: splitToolId(tool.id).server, tool: tool.id, risk: tool.risk },
    ...{ face: request.face, method: request.method, tenant: identity.tenant },
    ...{ agent: identity.agent, delegation: identity.delegation },
    model: identity.model ?? null,
    principal: identity.principal ?? null,
    idempotency_key: later.idempotencyKey,
    args: obliged.args,
    args_digest: digestOf(obliged.args),
    args_redacted: forRecord(obliged.args, engine?.redactions(tool.id) ?? []),
    met: obliged.verdict.obligations.filter(({ kind }) => kind === "redact").map(asJson),
    carry: carried as unknown as JsonObject,
    repeats: later.repeats ?? null,
    policy_version: policyVersion,
    determining_rules: obliged.verdict.determiningRules,
    ...{ cause, instance },
  };
}

/** Everything of the question but who asks and with what; only what is there. */
function questionOf({ resource, context, effectHint, definition }: ToolRequest): JsonObject {
  return {
    ...(resource === undefined ? {} : { resource: { ...resource } }),
    ...(context === undefined ? {} : { context }),
    ...(effectHint === undefined ? {} : { effect_hint: effectHint }),
    ...(definition === undefined ? {} : { definition: definitionJson(definition) }),
  };
}

function definitionJson({
  digest,
  readOnlyHint,
}: NonNullable<ToolRequest["definition"]>): JsonObject {
  return { digest, ...(readOnlyHint === undefined ? {} : { readOnlyHint }) };
}

export interface HeldCall {
  readonly request: ToolRequest;
  /** As the face carried it. */
  readonly carry: JsonObject;
}

/** The call of an item that was claimed; undefined for one that this Holdfast cannot read. */
export function heldCall(item: EscrowItem): HeldCall | undefined {
  const { args, carry, claim, release, tool, face, method } = item;
  if (args === null || carry === null || claim === null || release === null) return undefined;
  const { identity, question, send } = carry;
  if (!isJsonObject(identity) || !isJsonObject(question) || !isJsonObject(send)) return undefined;
  const { resource, context, effect_hint: effectHint, definition } = question;
  const asked = {
    ...(resource === undefined ? {} : { resource }),
    ...(context === undefined ? {} : { context }),
    ...(effectHint === undefined ? {} : { effectHint }),
    ...(definition === undefined ? {} : { definition }),
  } as unknown as Pick<ToolRequest, "resource" | "context" | "effectHint" | "definition">;
  const request: ToolRequest = {
    ...asked,
    ...{ face: face as Face, method, args, tool: tool as ToolRequest["tool"] },
    identity: identity as unknown as Identity,
    released: {
      item: item.id,
      callId: claim.call,
      idempotencyKey: item.idempotency_key,
      attempt: item.attempts,
      ...{ by: release.by, reason: release.reason, met: item.met },
    },
  };
  return { request, carry: send };
}
