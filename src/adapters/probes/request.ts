/** One HTTP exchange of a probe: bounded, and every way in which it comes to nothing is a sentence. */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
  readBody,
} from "../../kernel/index.ts";
import type { Asking, Found } from "./asking.ts";

export interface Sending {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: JsonValue;
  readonly text?: string;
}

export interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
  header(name: string): string | undefined;
}

const answerBytesMax = 1024 * 1024;
const depthMax = 64;

/** The error says why nothing was learned; it names the host, never the whole address. */
export async function exchange(
  asking: Pick<Asking, "http" | "question" | "signal" | "isTimeUp">,
  { method = "GET", url, headers = {}, json, text }: Sending,
): Promise<Result<Answer, string>> {
  if (!URL.canParse(url)) return err("its address is no URL");
  const { host } = new URL(url);
  const { timeoutMs } = asking.question;
  const type = json === undefined ? "text/plain" : "application/json";
  const body = json === undefined ? text : JSON.stringify(json);
  const nothing = (detail: string): Result<never, string> => {
    if (asking.isTimeUp()) return err(`${host} did not answer within ${timeoutMs} ms`);
    return err(asking.signal.aborted ? "it was told to stop" : `${host}: ${detail}`);
  };
  const sent = await asking.http.send({
    ...{ method, url, signal: asking.signal, headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
    headers: { ...(body === undefined ? {} : { "content-type": type }), ...headers },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });
  if (!sent.ok) return nothing(sent.error.detail);
  const bytes = await readBody(sent.value, answerBytesMax);
  if (!bytes.ok) return nothing(bytes.error);
  const { status, headers: answered } = sent.value;
  const header = (name: string): string | undefined => {
    const value = answered[name];
    return typeof value === "string" ? value : value?.[0];
  };
  return ok({ status, bytes: bytes.value, header });
}

/** The body as an object; undefined when it is none. */
export function objectIn({ bytes }: Answer): JsonObject | undefined {
  const parsed = parseJsonStrict(bytes, { bytesMax: answerBytesMax, depthMax });
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** The body as JSON; undefined when it is none. */
export function jsonIn({ bytes }: Answer): JsonValue | undefined {
  const parsed = parseJsonStrict(bytes, { bytesMax: answerBytesMax, depthMax });
  return parsed.ok ? parsed.value : undefined;
}

/** The site and the nonce that an answer names: members of its JSON, or headers. */
export function echoIn(answer: Answer): Found["echo"] {
  const { site, nonce } = objectIn(answer) ?? {};
  if (typeof site === "string" && typeof nonce === "string") return { site, nonce };
  const named = { site: answer.header("holdfast-site"), nonce: answer.header("holdfast-nonce") };
  if (named.site === undefined || named.nonce === undefined) return undefined;
  return { site: named.site, nonce: named.nonce };
}

export const bearer = (token: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
});
