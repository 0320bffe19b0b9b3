/** People are told in a Slack channel: one message a notice, changed as the answer comes, reminders in its thread. */
import { err, isJsonObject, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Notice, NoticePlace, Notifier, NotifyError } from "../../ports.ts";
import type { SlackApi } from "./api.ts";
import { escaped, mentionOf, noticeBlocks } from "./blocks.ts";

export interface SlackNotifierParts {
  readonly api: SlackApi;
  /** The id of a channel or member. */
  readonly to: string;
  /** Slack member ids by approver. */
  readonly members: ReadonlyMap<string, string>;
}

export function slackNotifier({ api, to, members }: SlackNotifierParts): Notifier {
  const mention = (approver: string): string | undefined => members.get(approver);
  const message = (notice: Notice) => ({
    text: escaped(notice.title),
    blocks: noticeBlocks(notice, mention),
  });
  return {
    async deliver(notice) {
      return await api.post(to, message(notice));
    },
    async update(place, notice) {
      const at = placeOf(place);
      if (at === undefined) return err(lost);
      const updated = await api.update(at.channel, at.ts, message(notice));
      // Weeks lie between an overdue drill and its end: nobody would see a message change.
      if (updated.ok && notice.kind === "drills" && place["told"] !== notice.title) {
        const posted = await api.post(at.channel, { text: escaped(notice.title) }, at.ts);
        return kept(posted, { ...place, told: notice.title });
      }
      if (updated.ok || updated.error.kind !== "refused") return kept(updated, place);
      // Somebody deleted the message: there is nothing left to change.
      return updated.error.detail.includes("message_not_found") ? ok(place) : updated;
    },
    async remind(place, notice) {
      const at = placeOf(place);
      if (at === undefined) return err(lost);
      const called = notice.turn.length > 0 ? notice.turn : notice.eligible;
      const mentions = called.flatMap((approver) => mention(approver) ?? []).slice(0, calledMax);
      const words =
        notice.status === "open"
          ? `Still waiting: ${escaped(notice.title)}`
          : `Nobody answered in time, so it was not done: ${escaped(notice.title)}`;
      const text = [...mentions.map(mentionOf), words].join(" ");
      return kept(await api.post(at.channel, { text }, at.ts), place);
    },
  };
}

/** Whoever calls everybody calls nobody. */
const calledMax = 5;

const lost: NotifyError = { kind: "refused", detail: "where the message is was not stored" };

function placeOf(place: JsonObject): { readonly channel: string; readonly ts: string } | undefined {
  if (!isJsonObject(place)) return undefined;
  const { channel, ts } = place;
  return typeof channel === "string" && typeof ts === "string" ? { channel, ts } : undefined;
}

function kept(
  done: Result<unknown, NotifyError>,
  place: NoticePlace,
): Result<NoticePlace, NotifyError> {
  return done.ok ? ok(place) : done;
}
