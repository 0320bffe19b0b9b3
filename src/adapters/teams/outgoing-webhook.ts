/**
 * Answers in words, by an outgoing webhook of Teams
 * (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook): whoever
 * mentions it is named in the activity that Teams signs with the security token (HMAC-SHA256 of the body). An answer names
 * the approval and the code on its card, so that it is one to what was shown.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ChatAnswers, GivenAnswer } from "../../control/index.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  jsonResponse,
  problemResponse,
} from "../../gateway/index.ts";
import { isJsonObject, type JsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { Log } from "../../ports.ts";
import { answerCode } from "./answer-code.ts";

export interface OutgoingWebhookParts {
  readonly channel: string;
  /** As Teams showed it: base64. */
  readonly token: () => string;
  readonly answers: ChatAnswers;
  readonly log: Log;
}

const bodyBytesMax = 256 * 1024;

export function teamsOutgoingWebhook(parts: OutgoingWebhookParts): FrontFace {
  return async (request) => {
    if (request.method !== "POST")
      return problemResponse(405, "POST only", "Teams posts here; nothing is answered by a link.", {
        allow: "POST",
      });
    const { channel, token, answers, log } = parts;
    if (!isSigned(request, token())) {
      log.write("warn", "teams_signature_refused", { channel });
      return problemResponse(
        401,
        "Not signed",
        "This was not signed with the channel's outgoing_webhook_token.",
      );
    }
    const activity = activityIn(request.body);
    if (activity === undefined)
      return problemResponse(400, "No activity", "The body is no activity of Teams.");
    const fresh = await answers.freshness(`teams ${channel} ${activity.id}`, activity.signedMs);
    if (!fresh.ok) return said("The store is away. Nothing was changed; try again.");
    if (fresh.value === "first") return await answered(activity.value, parts);
    log.write("warn", "teams_activity_refused", { channel, because: fresh.value });
    return fresh.value === "late"
      ? problemResponse(401, "Too old", "It was sent more than five minutes from now.")
      : problemResponse(409, "Repeated", "This activity came before. Each one counts once.");
  };
}

function activityIn(
  body: Uint8Array,
): { readonly value: JsonObject; readonly id: string; readonly signedMs: number } | undefined {
  const parsed = parseJsonStrict(body, { bytesMax: bodyBytesMax });
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { id, timestamp } = parsed.value;
  const signedMs = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  if (typeof id !== "string" || Number.isNaN(signedMs)) return undefined;
  return { value: parsed.value, id, signedMs };
}

function isSigned(request: FrontRequest, token: string): boolean {
  const key = Buffer.from(token, "base64");
  const expected = Buffer.from(
    `HMAC ${createHmac("sha256", key).update(request.body).digest("base64")}`,
  );
  const given = Buffer.from(headerOf(request, "authorization") ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function answered(
  activity: JsonObject,
  { answers, channel, log }: OutgoingWebhookParts,
): Promise<FrontResponse> {
  const { from: writer } = activity;
  const member = isJsonObject(writer) ? writer["aadObjectId"] : undefined;
  if (typeof member !== "string")
    return said("Teams did not say who you are, so this does not count.");
  const who = answers.approver("teams", member.toLowerCase());
  if (!who.ok) return said(who.error.detail);
  const words = wordsIn(String(activity["text"] ?? ""));
  if (words === undefined)
    return said(
      "Say approve or decline, the approval and the code on its card, and why: approve apr-… 1a2b3c4d because …",
    );
  const found = await answers.find(words.approval);
  if (!found.ok) return said(found.error.detail);
  const [asked] = answers.noticeOf([found.value]).answers;
  if (asked === undefined)
    return said(
      `${words.approval} is ${found.value.state}, or too large to be answered here. Open its page.`,
    );
  if (answerCode(asked) !== words.code)
    return said(
      `${words.approval} has changed since that card, or the code is another's. Look at the newest card.`,
    );
  const given: GivenAnswer = {
    on: [asked],
    verdict: words.verdict,
    reason: words.reason,
    channel: "teams",
  };
  const done = await answers.answer(who.value, given);
  const { id: approver } = who.value;
  log.write("info", "teams_answered", { channel, approver, counts: done.ok });
  return said(
    done.ok
      ? `${words.approval} is ${done.value[0]?.state ?? "answered"}.`
      : `This does not count: ${done.error.detail}.`,
  );
}

interface Words {
  readonly verdict: GivenAnswer["verdict"];
  readonly approval: string;
  readonly code: string;
  readonly reason: string;
}

/** `<at>Holdfast</at> approve apr-… 1a2b3c4d because …`, with whatever markup Teams puts around it. */
function wordsIn(text: string): Words | undefined {
  const plain = text
    .replaceAll(/<at>[^<]*<\/at>/g, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&nbsp;", " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ")
    .trim();
  const [, verdict, approval = "", code = "", reason = ""] =
    /^(approve|decline) (apr-[\w-]{1,64}) ([\da-f]{8}) (.+)$/i.exec(plain) ?? [];
  if (verdict === undefined) return undefined;
  const isYes = verdict.toLowerCase() === "approve";
  return { verdict: isYes ? "approve" : "decline", approval, code: code.toLowerCase(), reason };
}

/** What Teams shows below the answer. */
function said(text: string): FrontResponse {
  return jsonResponse(200, { type: "message", text });
}
