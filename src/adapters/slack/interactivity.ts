/** Slack's Request URL for interactivity: signed by Slack, new, and not seen before; anything else changes nothing. */
import type { ChatAnswers } from "../../control/index.ts";
import {
  emptyResponse,
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  jsonResponse,
  problemResponse,
} from "../../gateway/index.ts";
import { isJsonObject, type JsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { Log } from "../../ports.ts";
import type { SlackInteractions } from "./interactions.ts";
import { signedAtMs } from "./signature.ts";

export interface InteractivityParts {
  readonly signingSecret: () => string;
  readonly answers: ChatAnswers;
  readonly interactions: SlackInteractions;
  readonly log: Log;
}

const payloadBytesMax = 1024 * 1024;

export function slackInteractivity(parts: InteractivityParts): FrontFace {
  return async (request) => {
    if (request.method !== "POST")
      return problemResponse(405, "POST only", "Slack posts here; nothing is answered by a link.", {
        allow: "POST",
      });
    const refused = await refusalOf(request, parts);
    if (refused !== undefined) return refused;
    const payload = payloadOf(request.body);
    if (payload === undefined)
      return problemResponse(400, "No payload", "The body is no interaction payload of Slack's.");
    const answer = await parts.interactions.answer(payload);
    return answer === undefined ? emptyResponse(200) : jsonResponse(200, answer);
  };
}

/** Which of the two was wrong, the signature or the time, is nobody's business who cannot sign. */
async function refusalOf(
  request: FrontRequest,
  { signingSecret, answers, log }: InteractivityParts,
): Promise<FrontResponse | undefined> {
  const signature = headerOf(request, "x-slack-signature") ?? "";
  const timestamp = headerOf(request, "x-slack-request-timestamp") ?? "";
  const signedMs = signedAtMs(signingSecret(), timestamp, signature, request.body);
  if (signedMs === undefined) {
    log.write("warn", "slack_signature_refused", {});
    return problemResponse(
      401,
      "Not signed",
      "This was not signed with approvals.slack.signing_secret.",
    );
  }
  const fresh = await answers.freshness(`slack ${signature}`, signedMs);
  if (!fresh.ok)
    return problemResponse(503, "Store away", "Nothing was changed; try again.", {
      "retry-after": "1",
    });
  if (fresh.value === "first") return undefined;
  log.write("warn", "slack_request_refused", { because: fresh.value });
  return fresh.value === "late"
    ? problemResponse(401, "Too old", "It was signed more than five minutes from now.")
    : problemResponse(409, "Repeated", "This request came before. Each one counts once.");
}

/** One form field that holds JSON. */
function payloadOf(body: Uint8Array): JsonObject | undefined {
  const fields = new URLSearchParams(Buffer.from(body).toString("utf8")).getAll("payload");
  const [only, ...others] = fields;
  if (only === undefined || others.length > 0) return undefined;
  const parsed = parseJsonStrict(Buffer.from(only), { bytesMax: payloadBytesMax });
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}
