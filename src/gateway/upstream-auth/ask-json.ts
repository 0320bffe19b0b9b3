/** Small JSON exchanges with authorization servers. */
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

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the body is not a JSON object. */
  readonly body: JsonObject | undefined;
}

const headTimeoutMs = 10_000;
const bodyBytesMax = 128 * 1024;
const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

/** Credentials travel over TLS only, except within this machine. */
export function secureUrl(text: string): Result<URL, string> {
  if (!URL.canParse(text)) return err(`${JSON.stringify(text)} is not a URL`);
  const url = new URL(text);
  const loopback = url.protocol === "http:" && loopbackHosts.includes(url.hostname);
  if (url.protocol !== "https:" && !loopback) return err(`${url.origin} is not https`);
  if (url.username !== "" || url.password !== "") return err(`${url.origin} has a user in its URL`);
  return ok(url);
}

export interface JsonQuestion {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as POST; a GET when absent. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: JsonObject;
}

/** Asks once. The error is one sentence that names the origin and holds no credential. */
export async function askJson(
  http: HttpTransport,
  question: JsonQuestion,
): Promise<Result<JsonAnswer, string>> {
  const url = secureUrl(question.url);
  if (!url.ok) return url;
  const { form, json } = question;
  const text = form ? new URLSearchParams(form).toString() : json && JSON.stringify(json);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  const sent = await http.send({
    method: text === undefined ? "GET" : "POST",
    url: url.value.href,
    headers: {
      accept: "application/json",
      ...(text !== undefined && { "content-type": type }),
      ...question.headers,
    },
    ...(text !== undefined && { body: new TextEncoder().encode(text) }),
    headTimeoutMs,
    idleTimeoutMs: headTimeoutMs,
  });
  if (!sent.ok) return err(`${url.value.origin}: ${sent.error.reason}: ${sent.error.detail}`);
  const body = await readBody(sent.value, bodyBytesMax);
  if (!body.ok) return err(`${url.value.origin}: ${body.error}`);
  const parsed = parseJsonStrict(body.value);
  const object = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
  return ok({ status: sent.value.status, body: object });
}
