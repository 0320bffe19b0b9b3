/**
 * People are told by mail: plain text, and the address of the page where they sign in and answer. Nothing is decided by a
 * link, because mail scanners open links.
 */
import { createTransport } from "nodemailer";
import { err, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import type { Notice, NoticePlace, Notifier, NotifyError } from "../../ports.ts";

export interface EmailNotifierParts {
  /** `smtp://` or `smtps://`, with user and password. */
  readonly smtp: () => string;
  readonly from: string;
  /** Instead of the approvers' own addresses. */
  readonly to: readonly string[] | undefined;
  /** Addresses by approver. */
  readonly addresses: ReadonlyMap<string, string>;
}

const timeoutMs = 10_000;

export function emailNotifier(parts: EmailNotifierParts): Notifier {
  const transport = createTransport({
    ...serverOf(parts.smtp()),
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  const send = async (
    notice: Notice,
    subject: string,
    what: string,
    place?: NoticePlace,
  ): Promise<Result<NoticePlace, NotifyError>> => {
    const first = place === undefined ? undefined : String(place["message_id"]);
    // Those who were told of the question are told how it ended.
    const to = place === undefined ? addresseesOf(notice, parts) : (place["to"] as string[]);
    if (to.length === 0)
      return err({
        kind: "refused",
        detail: "no approver who may answer has an email in approvals.approvers",
      });
    const messageId = messageIdOf(notice, what);
    try {
      await transport.sendMail({
        ...{ from: parts.from, to: [...to], subject, text: textOf(notice), messageId },
        ...(first === undefined ? {} : { inReplyTo: first, references: [first] }),
        headers: { "auto-submitted": "auto-generated", "x-auto-response-suppress": "All" },
      });
    } catch (thrown) {
      return err(notifyError(thrown as SmtpError));
    }
    return ok({ message_id: first ?? messageId, to: [...to], told: notice.status });
  };
  return {
    deliver: (notice) => send(notice, `[Holdfast] ${notice.title}`, "asked"),
    // A mail that was sent stays as it is; only how it ended is worth another.
    update: async (place, notice) =>
      notice.status === "open" || notice.status === "used" || place["told"] === notice.status
        ? ok(place)
        : await send(notice, `Re: [Holdfast] ${notice.title}`, notice.status, place),
    remind: async (place, notice) => {
      const count = Number(place["reminders"] ?? 0) + 1;
      const words = notice.status === "open" ? "Still waiting" : "Nobody answered in time";
      const sent = await send(
        notice,
        `${words}: [Holdfast] ${notice.title}`,
        `again ${count}`,
        place,
      );
      return sent.ok ? ok({ ...sent.value, reminders: count }) : sent;
    },
  };
}

function addresseesOf(
  { kind, turn, eligible }: Notice,
  { to, addresses }: EmailNotifierParts,
): readonly string[] {
  const of = (names: readonly string[]): readonly string[] =>
    names.flatMap((approver) => addresses.get(approver) ?? []);
  // Drills are nobody's question: whoever can be reached is told.
  if (kind === "drills") return to ?? [...addresses.values()];
  return to ?? (of(turn).length > 0 ? of(turn) : of(eligible));
}

/** The same for every try, so that mail programs show a repetition once. */
function messageIdOf({ id }: Notice, what: string): string {
  return `<${sha256Hex(JSON.stringify([id, what])).slice(0, 32)}@holdfast.invalid>`;
}

/** The one address that can be clicked comes first and is ours: mail programs make links of whatever an agent wrote. */
function textOf({ title, fields, body, link, status, kind }: Notice): string {
  const about = [
    title,
    "",
    ...fields.map(({ name, value }) => `${name}: ${value}`),
    ...(body === null ? [] : ["", body]),
  ];
  return [
    status === "open" && kind !== "drills" ? `Sign in and answer: ${link}` : `More: ${link}`,
    "",
    ...about.map((text) => text.replaceAll("://", "[:]//").replaceAll(/\bwww\./gi, "www[.]")),
    "",
  ].join("\n");
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly requireTLS: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** Mail leaves this machine encrypted, or not at all. */
function serverOf(text: string): Server {
  const url = new URL(text);
  const secure = url.protocol === "smtps:";
  const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  const login =
    url.username === ""
      ? {}
      : {
          auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
        };
  return {
    ...{
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || (secure ? 465 : 587)),
    },
    ...{ secure, requireTLS: !secure && !isHere },
    ...login,
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
  readonly command?: string;
}

/** Nothing of the mail had been sent by then. */
const before = new Set(["CONN", "EHLO", "HELO", "STARTTLS", "MAIL FROM", "RCPT TO"]);

function notifyError({ message, code, responseCode = 0, command = "" }: SmtpError): NotifyError {
  const detail = `mail server: ${code ?? ""} ${message}`.replaceAll(/\s+/g, " ").trim();
  // RFC 5321, 4.2.1: 4 passes, 5 does not.
  if (code === "EAUTH" || responseCode >= 500) return { kind: "refused", detail };
  if (responseCode >= 400 || before.has(command)) return { kind: "not_delivered", detail };
  return { kind: code === "EDNS" ? "not_delivered" : "unknown", detail };
}
