/** Notices as CloudEvents 1.0 (structured mode), signed as Standard Webhooks. One event for each thing that happens. */
import { type JsonObject, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import type {
  Clock,
  HttpTransport,
  Notice,
  NoticePlace,
  Notifier,
  NotifyError,
} from "../../ports.ts";
import { postNotice } from "../http/index.ts";
import { signed } from "./signature.ts";

export interface WebhookNotifierParts {
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly url: string;
  readonly secret: () => string;
  /** CloudEvents `source`: `approvals.url`. */
  readonly source: string;
}

export function webhookNotifier(parts: WebhookNotifierParts): Notifier {
  const tell = async (
    what: string,
    notice: Notice,
    reminders: number,
  ): Promise<Result<NoticePlace, NotifyError>> => {
    const posted = await postNotice(parts.http, postingOf(what, notice, reminders, parts));
    return posted.ok ? ok({ reminders }) : posted;
  };
  return {
    deliver: (notice) => tell(wordOf(notice, "asked"), notice, 0),
    update: (place, notice) => tell(wordOf(notice, "changed"), notice, remindersIn(place)),
    remind: (place, notice) => tell(wordOf(notice, "reminded"), notice, remindersIn(place) + 1),
  };
}

/** Of drills nobody is asked anything. */
function wordOf({ kind, status }: Notice, open: "asked" | "changed" | "reminded"): string {
  if (kind === "drills" && status === "over") return "held";
  if (kind === "drills" && open === "asked") return "overdue";
  return status === "open" ? open : status;
}

const families: Readonly<Record<Notice["kind"], string>> = {
  question: "io.holdfast.approval",
  digest: "io.holdfast.approvals.batch",
  flood: "io.holdfast.approvals.flood",
  drills: "io.holdfast.drills",
};

function postingOf(
  what: string,
  notice: Notice,
  reminders: number,
  { clock, url, secret, source }: WebhookNotifierParts,
) {
  const data = dataOf(notice);
  // The same for every try, so that whoever got it twice can tell.
  const digest = sha256Hex(JSON.stringify([what, reminders, data])).slice(0, 16);
  const id = `${notice.id}.${what}.${digest}`;
  const atMs = clock.wallMs();
  const body = JSON.stringify({
    ...{ specversion: "1.0", id, source, type: `${families[notice.kind]}.${what}` },
    ...{ subject: notice.id, time: new Date(atMs).toISOString() },
    ...{ datacontenttype: "application/json", data },
  });
  const headers = {
    "content-type": "application/cloudevents+json; charset=utf-8",
    ...signed(secret(), id, Math.floor(atMs / 1_000), body),
  };
  return { url, headers, body };
}

function dataOf({ answers, ...notice }: Notice): JsonObject {
  return {
    ...notice,
    fields: notice.fields.map((field) => ({ ...field })),
    turn: [...notice.turn],
    eligible: [...notice.eligible],
    answers: answers.map(({ approval, version, argsDigest }) => {
      return { approval_id: approval, version, args_digest: argsDigest };
    }),
  };
}

function remindersIn(place: NoticePlace): number {
  const { reminders } = place;
  return typeof reminders === "number" ? reminders : 0;
}
