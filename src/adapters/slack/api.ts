/** Slack's Web API, as far as it is used here: one try each; what to try again decides whoever calls. */
import type { KnownBlock, ModalView } from "@slack/types";
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebClientOptions,
} from "@slack/web-api";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Log, NotifyError } from "../../ports.ts";

export interface SlackApp {
  readonly botToken: () => string;
  /** Ends with `/`. Only tests and proxies have another than Slack's own. */
  readonly apiUrl: string;
}

export interface SlackText {
  /** What notifications show; Slack's own markup. */
  readonly text: string;
  readonly blocks?: KnownBlock[];
}

const timeoutMs = 10_000;

/** The SDK's own retries would wait minutes and hold back other messages. */
export function clientOptions(apiUrl: string, log: Log): WebClientOptions {
  return {
    ...{ slackApiUrl: apiUrl, timeout: timeoutMs, rejectRateLimitedCalls: true },
    ...{ retryConfig: { retries: 0 }, logger: quietLogger(log) },
  };
}

export class SlackApi {
  readonly #client: WebClient;

  constructor({ botToken, apiUrl }: SlackApp, log: Log) {
    this.#client = new WebClient(botToken(), clientOptions(apiUrl, log));
  }

  async post(
    channel: string,
    { text, blocks }: SlackText,
    threadTs?: string,
  ): Promise<Result<{ readonly channel: string; readonly ts: string }, NotifyError>> {
    const thread = threadTs === undefined ? {} : { thread_ts: threadTs, reply_broadcast: true };
    const posted = await this.#tried(() =>
      this.#client.chat.postMessage({
        ...{ channel, text, unfurl_links: false, unfurl_media: false },
        ...(blocks === undefined ? {} : { blocks }),
        ...thread,
      }),
    );
    if (!posted.ok) return posted;
    const { channel: id, ts } = posted.value;
    return id === undefined || ts === undefined
      ? err({ kind: "unknown", detail: "Slack did not say where the message is" })
      : ok({ channel: id, ts });
  }

  async update(
    channel: string,
    ts: string,
    { text, blocks = [] }: SlackText,
  ): Promise<Result<void, NotifyError>> {
    return discarded(
      await this.#tried(() => this.#client.chat.update({ channel, ts, text, blocks })),
    );
  }

  /** Only this member sees it. */
  async whisper(channel: string, member: string, text: string): Promise<Result<void, NotifyError>> {
    return discarded(
      await this.#tried(() => this.#client.chat.postEphemeral({ channel, user: member, text })),
    );
  }

  /** A trigger is good for three seconds. */
  async openModal(trigger: string, view: ModalView): Promise<Result<void, NotifyError>> {
    return discarded(
      await this.#tried(() => this.#client.views.open({ trigger_id: trigger, view })),
    );
  }

  async #tried<T>(call: () => Promise<T>): Promise<Result<T, NotifyError>> {
    try {
      return ok(await call());
    } catch (thrown) {
      return err(notifyError(thrown));
    }
  }
}

function discarded(done: Result<unknown, NotifyError>): Result<void, NotifyError> {
  return done.ok ? ok(undefined) : done;
}

/** Slack says so when it did nothing of what was asked, and may do it later. */
const passing = new Set([
  "fatal_error",
  "internal_error",
  "ratelimited",
  "rate_limited",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
]);

function notifyError(thrown: unknown): NotifyError {
  if (thrown instanceof WebAPIRateLimitedError) {
    const retryAfterMs = thrown.retryAfter * 1_000;
    return { kind: "not_delivered", detail: "Slack's rate limit", retryAfterMs };
  }
  if (thrown instanceof WebAPIPlatformError) {
    const { error } = thrown.data;
    if (passing.has(error)) return { kind: "unknown", detail: `Slack says ${error}` };
    return { kind: "refused", detail: `Slack says ${error}${advice[error] ?? ""}` };
  }
  if (thrown instanceof WebAPIHTTPError) {
    const detail = `Slack answered with status ${thrown.statusCode}`;
    return { kind: thrown.statusCode >= 500 ? "unknown" : "refused", detail };
  }
  if (thrown instanceof WebAPIRequestError) {
    const code = codeOf(thrown.original);
    const detail = `Slack could not be asked: ${code ?? thrown.original.message}`;
    return { kind: notSent.has(code ?? "") ? "not_delivered" : "unknown", detail };
  }
  return { kind: "unknown", detail: String(thrown) };
}

/** The connection never came about. */
const notSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** What to do, for the errors people meet first. */
const advice: Readonly<Record<string, string>> = {
  channel_not_found: ": the channel id is wrong, or the app is not in that private channel",
  not_in_channel: ": invite the app to the channel (/invite)",
  is_archived: ": the channel is archived",
  invalid_auth: ": approvals.slack.bot_token is wrong",
  not_authed: ": approvals.slack.bot_token is empty",
  account_inactive: ": the app was removed from the workspace",
  token_revoked: ": the bot token was revoked; install the app again",
  missing_scope: ": the app lacks the scope chat:write",
};

function codeOf(error: Error): string | undefined {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  if (typeof code === "string") return code;
  return cause instanceof Error ? codeOf(cause) : undefined;
}

/** What the SDK says goes into our log, at the level of detail that its debug lines are. */
export function quietLogger(log: Log): NonNullable<WebClientOptions["logger"]> {
  const write = (...words: unknown[]): void => {
    log.write("debug", "slack_sdk", { words: words.map(String).join(" ") });
  };
  // Its debug lines hold whole messages.
  const silent = (): void => undefined;
  return {
    ...{ debug: silent, info: write, warn: write, error: write },
    ...{ setLevel: silent, setName: silent },
    getLevel: () => "info" as ReturnType<NonNullable<WebClientOptions["logger"]>["getLevel"]>,
  };
}
