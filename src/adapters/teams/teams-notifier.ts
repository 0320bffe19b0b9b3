/**
 * People are told in Teams by a workflow ("When a Teams webhook request is received"), which posts cards and cannot change
 * them: so what became of a question is a second, short card. Its address is the secret.
 */
import { ok, type Result } from "../../kernel/index.ts";
import type { HttpTransport, Notice, NoticePlace, Notifier, NotifyError } from "../../ports.ts";
import { postNotice } from "../http/index.ts";
import { answerCode } from "./answer-code.ts";
import { noticeMessage } from "./card.ts";

export interface TeamsNotifierParts {
  readonly http: HttpTransport;
  readonly url: () => string;
  readonly answersInWords: boolean;
}

export function teamsNotifier({ http, url, answersInWords }: TeamsNotifierParts): Notifier {
  const post = async (notice: Notice): Promise<Result<NoticePlace, NotifyError>> => {
    const posted = await postNotice(http, {
      url: url(),
      headers: { "content-type": "application/json" },
      body: JSON.stringify(noticeMessage(notice, answersInWords)),
    });
    return posted.ok ? ok({ told: toldBy(notice) }) : posted;
  };
  return {
    deliver: post,
    update: async (place, notice) =>
      place["told"] === toldBy(notice) || notice.status === "used" ? ok(place) : await post(notice),
    remind: async (_, notice) => await post({ ...notice, title: reminderOf(notice) }),
  };
}

/** A card is posted again when it would mean something else: an answer to the old one would not count. */
function toldBy({ status, answers }: Notice): string {
  return [status, ...answers.map(answerCode)].join(" ");
}

function reminderOf({ status, title }: Notice): string {
  return status === "open" ? `Still waiting: ${title}` : `Nobody answered in time: ${title}`;
}
