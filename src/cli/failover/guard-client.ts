/** Asks the guard of this site, for the commands of people and of hooks. */
import { undiciTransport } from "../../adapters/http/index.ts";
import { readBody } from "../../gateway/index.ts";
import {
  err,
  isJsonObject,
  type JsonObject,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { FailoverConfig } from "../config-types.ts";

export interface GuardAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

const answerBytesMax = 8 * 1024 * 1024;

/** Its token is needed for what changes something, not for looking. */
export type GuardAddress = Pick<FailoverConfig, "guard_url"> &
  Partial<Pick<FailoverConfig, "token">>;

/** The error is a sentence with what to do. */
export async function askGuard(
  { guard_url: url, token }: GuardAddress,
  path: string,
  question?: JsonObject,
  timeoutMs = 5_000,
): Promise<Result<GuardAnswer, string>> {
  const http = undiciTransport({ addresses: "not_metadata" });
  try {
    const sent = await http.send({
      ...{ method: question === undefined ? "GET" : "POST", url: url + path },
      ...{ headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
        ...(question === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(question === undefined ? {} : { body: Buffer.from(JSON.stringify(question)) }),
    });
    if (!sent.ok)
      return err(
        `the guard at ${url} does not answer (${sent.error.detail}); is \`holdfast failover guard\` running?`,
      );
    const body = await readBody(sent.value, answerBytesMax);
    const parsed = body.ok ? parseJsonStrict(body.value) : body;
    if (!parsed.ok || !isJsonObject(parsed.value))
      return err(`the guard at ${url} answers no JSON object`);
    return ok({ status: sent.value.status, body: parsed.value });
  } finally {
    await http.close();
  }
}

/** Why a gate is closed, one line each. */
export function failingLines(body: JsonObject): readonly string[] {
  const { failing } = body;
  return (Array.isArray(failing) ? failing : []).map((each) =>
    isJsonObject(each)
      ? `  ${String(each["component"])}: ${String(each["verdict"])}: ${String(each["because"])}`
      : "",
  );
}
