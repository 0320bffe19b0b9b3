/** Runs one activity of an experiment and writes down what it answered. */
import {
  type Activity,
  type ActivityRun,
  type HttpProvider,
  isMet,
  type ProcessProvider,
} from "../../failover/index.ts";
import {
  canonicalJson,
  type JsonObject,
  type JsonValue,
  parseJsonStrict,
} from "../../kernel/index.ts";
import { TransportFailure } from "../../ports.ts";
import type { DrillParts } from "./parts.ts";

/** Of one answer; what is longer is cut. */
const bodyBytesMax = 64 * 1024;

export interface Ran {
  readonly run: ActivityRun;
  readonly output: JsonObject | undefined;
  /** Its tolerance holds; without one: it answered. */
  readonly met: boolean;
}

export interface RunningActivity {
  readonly parts: DrillParts;
  readonly secrets: readonly string[];
  /** What its processes may change: they find it in HOLDFAST_DRILL_PATHS. */
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
}

/** Never rejects. An action fails when it did not answer, or its exit code is not 0, or its status not below 400. */
export async function runActivity(activity: Activity, how: RunningActivity): Promise<Ran> {
  const { clock } = how.parts;
  await clock.sleep(activity.pauseBeforeMs, how.signal);
  const start = clock.wallMs();
  const began = clock.monotonicMs();
  const answered = await answerOf(activity, how);
  const duration = (clock.monotonicMs() - began) / 1_000;
  await clock.sleep(activity.pauseAfterMs, how.signal);
  const { tolerance } = activity;
  const met =
    tolerance === undefined
      ? succeeded(answered)
      : isMet(tolerance, answered.output, how.parts.finds);
  const run: ActivityRun = {
    activity: activity.source,
    output: hidden(answered.output ?? { error: answered.error ?? "" }, how.secrets),
    status: (activity.kind === "action" ? met : answered.output !== undefined)
      ? "succeeded"
      : "failed",
    start: new Date(start).toISOString(),
    end: new Date(start + duration * 1_000).toISOString(),
    duration: Math.round(duration * 1_000) / 1_000,
    ...(tolerance === undefined ? {} : { tolerance_met: met }),
  };
  return { run, output: answered.output, met };
}

interface Answered {
  /** Absent: nothing was answered, and `error` says why. */
  readonly output?: JsonObject;
  readonly error?: string;
}

function answerOf({ provider }: Activity, how: RunningActivity): Promise<Answered> {
  return provider.type === "http" ? overHttp(provider, how) : asProcess(provider, how);
}

async function asProcess(
  { argv, timeoutMs }: ProcessProvider,
  { parts, paths, signal }: RunningActivity,
): Promise<Answered> {
  const environment = { ...parts.environment, HOLDFAST_DRILL_PATHS: JSON.stringify(paths) };
  const ended = await parts.commands.run(argv, environment, timeoutMs, signal);
  if (ended.exitCode === null)
    return { error: `${argv[0]} did not end by itself: ${ended.errors ?? ended.output}` };
  return {
    output: { status: ended.exitCode, stdout: ended.output, stderr: ended.errors ?? "" },
  };
}

async function overHttp(
  { url, method, headers, body, timeoutMs }: HttpProvider,
  { parts, signal }: RunningActivity,
): Promise<Answered> {
  const sent = body === undefined ? undefined : Buffer.from(canonicalJson(body));
  const answer = await parts.http.send({
    ...{ url, method, signal },
    headers: {
      ...(sent === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(sent.length) }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
    headTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
  });
  if (!answer.ok) return { error: `${answer.error.reason}: ${answer.error.detail}` };
  const text = await bodyOf(answer.value.body);
  if (text === undefined) return { error: "the answer broke off" };
  return {
    output: {
      status: answer.value.status,
      headers: answer.value.headers as JsonObject,
      body: bodyValue(text, String(answer.value.headers["content-type"] ?? "")),
    },
  };
}

async function bodyOf(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bodyBytesMax) break;
    }
  } catch (thrown) {
    if (thrown instanceof TransportFailure) return undefined;
    throw thrown;
  }
  return Buffer.concat(chunks).subarray(0, bodyBytesMax).toString();
}

function bodyValue(text: string, contentType: string): JsonValue {
  if (!contentType.includes("json")) return text;
  const parsed = parseJsonStrict(Buffer.from(text));
  return parsed.ok ? parsed.value : text;
}

function succeeded({ output }: Answered): boolean {
  const status = output?.["status"];
  if (typeof status !== "number") return false;
  return output?.["stdout"] === undefined ? status < 400 : status === 0;
}

/** The same with every secret replaced, wherever it stands. */
function hidden(value: JsonValue, secrets: readonly string[]): JsonValue {
  if (typeof value === "string")
    // By way of bytes, so that lone surrogates, which no canonical JSON has, are replaced.
    return secrets.reduce(
      (text, secret) => text.replaceAll(secret, "***"),
      Buffer.from(value).toString(),
    );
  if (Array.isArray(value)) return value.map((item: JsonValue) => hidden(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, hidden(item as JsonValue, secrets)]),
  );
}
