/** Requests signed by Slack: https://docs.slack.dev/authentication/verifying-requests-from-slack, version v0. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The time that was signed, in milliseconds; undefined when this was not signed with one of these secrets. */
export function signedAtMs(
  secret: string,
  timestamp: string,
  signature: string,
  body: Uint8Array,
): number | undefined {
  // Digits only: what is signed is the text, and it must mean one number.
  if (!/^[1-9]\d{8,11}$/.test(timestamp)) return undefined;
  const expected = Buffer.from(`v0=${signatureHex(secret, timestamp, body)}`);
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return Number(timestamp) * 1_000;
}

function signatureHex(secret: string, timestamp: string, body: Uint8Array): string {
  return createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex");
}
