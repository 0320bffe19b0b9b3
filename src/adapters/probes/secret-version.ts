/** `secret_version`: a secret is there in the version that is expected. The secret itself is not asked for. */
import type { SecretVersion } from "../../failover/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { valueAt } from "./json-pointer.ts";
import { bearer, echoIn, exchange, jsonIn } from "./request.ts";

export async function secretVersion(asking: Asking<SecretVersion>): Promise<Found> {
  const { url, token, version_at: at, version } = asking.verification;
  const headers = token === undefined ? {} : bearer(await asking.secrets.read(token));
  const sent = await exchange(asking, { url, headers });
  if (!sent.ok) return inconclusive(sent.error);
  const { status } = sent.value;
  if (status === 404) return fail("the secret is not there (status 404)");
  if (status !== 200) return inconclusive(`the secret store answers with status ${status}`);
  const document = jsonIn(sent.value);
  if (document === undefined) return inconclusive("its answer is no JSON that can be trusted");
  const seen = valueAt(document, at);
  if (typeof seen !== "string" && typeof seen !== "number")
    return inconclusive(`its answer names no version at ${at}`);
  const echo = echoIn(sent.value);
  const more = { observed: { version: seen }, ...(echo === undefined ? {} : { echo }) };
  if (seen === version) return pass(`it is there in version ${seen}`, more);
  return fail(`it is there in version ${seen}, expected ${version}`, more);
}
