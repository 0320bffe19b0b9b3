/** Standard Webhooks 1.0, symmetric signatures: https://github.com/standard-webhooks/standard-webhooks. */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface WebhookHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** `secret` is `whsec_` and base64; its form was checked with the configuration. */
export function signed(
  secret: string,
  id: string,
  atSeconds: number,
  body: string,
): WebhookHeaders {
  const timestamp = String(atSeconds);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signatureOf(secret, id, timestamp, Buffer.from(body))}`,
  };
}

/** The time that was signed, in milliseconds; undefined when none of the signatures was made with this secret. */
export function signedAtMs(
  secret: string,
  { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": given }: WebhookHeaders,
  body: Uint8Array,
): number | undefined {
  if (!/^[1-9]\d{8,11}$/.test(timestamp) || !/^[!-~]{1,256}$/.test(id)) return undefined;
  const expected = Buffer.from(signatureOf(secret, id, timestamp, body));
  const isGood = given.split(" ").some((each) => {
    const [version, text = ""] = each.split(",");
    const bytes = Buffer.from(text);
    return version === "v1" && bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
  return isGood ? Number(timestamp) * 1_000 : undefined;
}

function signatureOf(secret: string, id: string, timestamp: string, body: Uint8Array): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
}
