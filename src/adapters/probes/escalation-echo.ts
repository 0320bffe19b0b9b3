/** `escalation_echo`: a message to the people's channel comes back with its site and nonce. */
import type { EscalationEcho } from "../../failover/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { type Answer, bearer, echoIn, exchange } from "./request.ts";

const pollMs = 100;

/**
 * POST `{ type, site, nonce, text }`. 200: it was delivered, and the answer names site and nonce. 202 with `location`, of the same
 * origin: it is on its way, and the acknowledgement is asked for there until it is 200.
 */
export async function escalationEcho(asking: Asking<EscalationEcho>): Promise<Found> {
  const { verification, question, secrets, clock, signal } = asking;
  const { url, token } = verification;
  const { site, nonce, timeoutMs } = question;
  const headers = token === undefined ? {} : bearer(await secrets.read(token));
  const text = `Holdfast checks that site ${site} reaches you. Nothing has happened.`;
  const json = { type: "holdfast.escalation_echo", site, nonce, text };
  let sent = await exchange(asking, { method: "POST", url, headers, json });
  if (!sent.ok) return inconclusive(sent.error);
  const polled = sent.value.status === 202 ? placeOf(url, sent.value) : undefined;
  if (sent.value.status === 202 && polled === undefined)
    return inconclusive("it answers 202 without a location of the same origin to ask at");
  while (sent.value.status === 202 && polled !== undefined) {
    await clock.sleep(pollMs, signal);
    const next = await exchange(asking, { url: polled, headers });
    if (!next.ok)
      return asking.isTimeUp()
        ? fail(`the message was taken, and not acknowledged within ${timeoutMs} ms`)
        : inconclusive(next.error);
    sent = next;
  }
  if (sent.value.status !== 200)
    return fail(`the channel answers with status ${sent.value.status}`, {
      observed: { status: sent.value.status },
    });
  const echo = echoIn(sent.value);
  if (echo === undefined)
    return inconclusive("the acknowledgement names neither the site nor the nonce of the message");
  return pass("the message came back from the channel", { echo });
}

/** The token goes there too, so it is nobody else's address. */
function placeOf(url: string, answer: Answer): string | undefined {
  const location = answer.header("location");
  if (location === undefined || !URL.canParse(location, url)) return undefined;
  const place = new URL(location, url);
  return place.origin === new URL(url).origin ? place.href : undefined;
}
