/** `holdfast failover abandon`: back to standalone, when as many as the manifest's break-glass asks for have signed. */
import { readFile } from "node:fs/promises";
import { envelopeVerifiers, openEnvelope } from "../../failover/index.ts";
import { adoptedKey } from "../../gateway/index.ts";
import { parseJsonStrict } from "../../kernel/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { FailoverConfig } from "../config-types.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { manifestReader } from "./read-manifest.ts";

export const abandonType = "application/vnd.holdfast.abandon+json";

/** The order is a signed `{format: "holdfast.abandon/v1", deployment, reason, not_after}`. 0 done, 1 refused, 2 unreadable. */
export async function abandon(
  file: string,
  state: SharedState,
  failover: FailoverConfig,
  io: CommandOutput,
): Promise<number> {
  const now = new Date().toISOString();
  const text = await readFile(file).catch(() => undefined);
  const order = text && parseJsonStrict(text);
  const signed = await readFile(failover.manifest, "utf8").catch(() => "");
  const { manifest_keys: keys, signatures_min: signatures } = failover;
  const read = (await manifestReader()).readSigned(signed, keys, now, signatures);
  if (order === undefined || !order.ok || !read.ok) {
    io.err(read.ok ? `${file} is no JSON` : `${failover.manifest}: ${read.error.join("; ")}`);
    return 2;
  }
  const { deployment, break_glass: people } = read.value.manifest;
  const verifiers = envelopeVerifiers(people.keys);
  if (!verifiers.ok) return refused(io, verifiers.error);
  const threshold = { threshold: people.quorum };
  const opened = openEnvelope(order.value, abandonType, verifiers.value, threshold);
  if (!opened.ok) return refused(io, opened.error);
  const { payload, signedBy } = opened.value;
  if (payload["format"] !== "holdfast.abandon/v1" || payload["deployment"] !== deployment)
    return refused(io, `the order is not for ${deployment}`);
  if (String(payload["not_after"]) < now) return refused(io, "the order has expired");
  const abandoned = { reason: payload["reason"] ?? null, signed_by: [...signedBy], time: now };
  const written = await state.transact([adoptedKey], () => ({
    writes: new Map([[adoptedKey, { deployment, abandoned }]]),
    result: undefined,
  }));
  if (!written.ok) return refused(io, written.error.detail);
  io.out(
    `${deployment} runs standalone, by ${signedBy.join(", ")}; now take failover: out of every configuration`,
  );
  return 0;
}

function refused(io: CommandOutput, why: string): number {
  io.err(`holdfast failover abandon: ${why}`);
  return 1;
}
