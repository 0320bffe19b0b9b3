/** `http`: an address answers as it should. */
import type { HttpVerification } from "../../failover/index.ts";
import { canonicalJson, type JsonValue, sha256Hex } from "../../kernel/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { valueAt } from "./json-pointer.ts";
import { type Answer, echoIn, exchange, jsonIn } from "./request.ts";

const statusDefault = [200];

export async function http(asking: Asking<HttpVerification>): Promise<Found> {
  const { verification, question } = asking;
  const { url, method, body, binding } = verification;
  const sent = await exchange(asking, {
    ...{ url, method: method ?? "GET", headers: await headersOf(asking) },
    ...(body === undefined ? {} : { json: body }),
  });
  if (!sent.ok) return inconclusive(sent.error);
  const answer = sent.value;
  const echo = binding === "echo" ? echoIn(answer) : undefined;
  const seen: Partial<Found> = {
    observed: { status: answer.status, ...digestIn(verification, answer) },
    ...(echo === undefined ? {} : { echo }),
  };
  const wrong = wrongIn(verification, answer);
  if (wrong !== undefined) return { ...seen, ...wrong };
  if (binding === "echo" && echo === undefined)
    return inconclusive("its answer names neither its site nor the nonce it was asked with", seen);
  return pass(`${new URL(url).host} answers as expected for ${question.component}`, seen);
}

async function headersOf(asking: Asking<HttpVerification>): Promise<Record<string, string>> {
  const headers: Record<string, string> = { "holdfast-nonce": asking.question.nonce };
  for (const [name, value] of Object.entries(asking.verification.headers ?? {}))
    headers[name.toLowerCase()] =
      typeof value === "string" ? value : await asking.secrets.read(value);
  return headers;
}

/** The first expectation that is not met. An answer that cannot be read is no clear no. */
function wrongIn({ expect }: HttpVerification, answer: Answer): Found | undefined {
  const statuses = expect.status ?? statusDefault;
  if (!statuses.includes(answer.status))
    return fail(`it answers with status ${answer.status}, expected ${statuses.join(" or ")}`);
  for (const [name, wanted] of Object.entries(expect.headers ?? {})) {
    const seen = answer.header(name.toLowerCase());
    if (seen !== wanted)
      return fail(`its header ${name} is ${JSON.stringify(seen ?? null)}, expected "${wanted}"`);
  }
  const digest = `sha256:${sha256Hex(answer.bytes)}`;
  if (expect.body_digest !== undefined && digest !== expect.body_digest)
    return fail(`its body has the digest ${digest}, expected ${expect.body_digest}`);
  return expect.json === undefined ? undefined : wrongJson(expect.json, answer);
}

function wrongJson(wanted: Readonly<Record<string, JsonValue>>, answer: Answer): Found | undefined {
  const document = jsonIn(answer);
  if (document === undefined) return inconclusive("its answer is no JSON that can be trusted");
  for (const [pointer, value] of Object.entries(wanted)) {
    const seen = valueAt(document, pointer);
    const shown = JSON.stringify(seen ?? null);
    if (seen === undefined)
      return fail(`it says nothing at ${pointer}, expected ${JSON.stringify(value)}`);
    if (canonicalJson(seen) !== canonicalJson(value))
      return fail(`it says ${shown} at ${pointer}, expected ${JSON.stringify(value)}`);
  }
  return undefined;
}

function digestIn(
  { config_digest_at: pointer }: HttpVerification,
  answer: Answer,
): { readonly config_digest?: string } {
  const document = pointer === undefined ? undefined : jsonIn(answer);
  const seen =
    document === undefined || pointer === undefined ? undefined : valueAt(document, pointer);
  return typeof seen === "string" ? { config_digest: seen } : {};
}
