/**
 * Clicks by Socket Mode (https://docs.slack.dev/apis/events-api/using-socket-mode): this side opens the connection, so
 * nothing of Holdfast needs to be reachable from outside. Who is at the other end proves TLS; each envelope counts once.
 */
import { SocketModeClient } from "@slack/socket-mode";
import type { ChatAnswers } from "../../control/index.ts";
import { isJsonObject, type JsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { Clock, Log } from "../../ports.ts";
import { clientOptions, quietLogger } from "./api.ts";
import type { SlackInteractions } from "./interactions.ts";

export interface SocketModeParts {
  readonly appToken: () => string;
  readonly apiUrl: string;
  readonly interactions: SlackInteractions;
  readonly answers: ChatAnswers;
  readonly clock: Clock;
  readonly log: Log;
}

interface Envelope {
  readonly envelope_id: string;
  readonly body: unknown;
  readonly ack: (response?: JsonObject) => Promise<void>;
}

const againMs = { min: 1_000, max: 60_000 };

/** Keeps one connection until `signal` aborts. */
export async function followSocketMode(parts: SocketModeParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  for (let waitMs = againMs.min; !signal.aborted; ) {
    const began = clock.monotonicMs();
    const why = await connection(parts, signal);
    if (signal.aborted) return;
    // Slack ends a connection every few hours as a matter of course; one that came about is made anew at once.
    const lasted = clock.monotonicMs() - began;
    waitMs = lasted > againMs.max ? againMs.min : Math.min(againMs.max, waitMs * 2);
    log.write("warn", "slack_socket_ended", { why, again_in_ms: waitMs });
    await clock.sleep(waitMs, signal);
  }
}

/** One connection, until it ends. The SDK's own reconnecting gives up on errors that pass, so it is not used. */
async function connection(parts: SocketModeParts, signal: AbortSignal): Promise<string> {
  const { appToken, apiUrl, log } = parts;
  const client = new SocketModeClient({
    ...{ appToken: appToken(), autoReconnectEnabled: false, logger: quietLogger(log) },
    clientOptions: clientOptions(apiUrl, log),
  });
  const ended = new Promise<void>((resolve) => client.once("disconnected", () => resolve()));
  client.on("interactive", (envelope: Envelope) => {
    void interactive(parts, envelope).catch((thrown) =>
      log.write("error", "slack_envelope_failed", { detail: String(thrown) }),
    );
  });
  const stop = (): void => {
    void client.disconnect().catch(() => undefined);
  };
  try {
    await client.start();
    log.write("info", "slack_socket_open", {});
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await ended;
    return "closed";
  } catch (thrown) {
    return String(thrown);
  } finally {
    signal.removeEventListener("abort", stop);
    client.removeAllListeners();
  }
}

async function interactive(
  { interactions, answers, clock, log }: SocketModeParts,
  { envelope_id: id, body, ack }: Envelope,
): Promise<void> {
  const fresh = await answers.freshness(`slack envelope ${id}`, clock.wallMs());
  if (!fresh.ok || fresh.value !== "first") {
    log.write("warn", "slack_envelope_refused", {
      because: fresh.ok ? fresh.value : fresh.error.kind,
    });
    return;
  }
  // By way of text, so that it is read as strictly as what comes by HTTP.
  const payload = parseJsonStrict(Buffer.from(JSON.stringify(body)));
  if (!payload.ok || !isJsonObject(payload.value)) return;
  await ack(await interactions.answer(payload.value));
}
