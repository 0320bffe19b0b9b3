/** Asks a guard over HTTP: for the gateways of its site, and for the commands of people and of hooks. */
import {
  err,
  isJsonObject,
  type JsonObject,
  ok,
  parseJsonStrict,
  type Result,
  readBody,
} from "../../kernel/index.ts";
import type { HttpTransport } from "../../ports.ts";

export interface GuardAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

export interface GuardAddress {
  /** Without a path. */
  readonly url: string;
  /** Needed for what changes something, not for looking. */
  readonly token?: string;
  readonly timeoutMs: number;
}

const answerBytesMax = 8 * 1024 * 1024;

/** Any status is an answer. The error is a sentence that names the guard. */
export async function askGuard(
  http: HttpTransport,
  { url, token, timeoutMs }: GuardAddress,
  path: string,
  question?: JsonObject,
): Promise<Result<GuardAnswer, string>> {
  const sent = await http.send({
    ...{ method: question === undefined ? "GET" : "POST", url: url + path },
    ...{ headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(question === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(question === undefined ? {} : { body: Buffer.from(JSON.stringify(question)) }),
  });
  if (!sent.ok) return err(`the guard at ${url} does not answer (${sent.error.detail})`);
  const body = await readBody(sent.value, answerBytesMax);
  const parsed = body.ok ? parseJsonStrict(body.value) : body;
  return parsed.ok && isJsonObject(parsed.value)
    ? ok({ status: sent.value.status, body: parsed.value })
    : err(`the guard at ${url} answers no JSON object`);
}
