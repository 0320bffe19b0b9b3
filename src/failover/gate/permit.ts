/**
 * The permit to operate: a gateway's right to act at its site for a few seconds. Signed by the guard of the site, bound to
 * the nonce of whoever asked, so that its lifetime counts from the question on the asker's own monotonic clock, and an
 * old one answers no question.
 */
import { err, isJsonObject, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Tier } from "./tier.ts";

export const permitType = "application/vnd.holdfast.permit+json";
export const verdictType = "application/vnd.holdfast.verdict+json";

export interface Permit {
  readonly format: "holdfast.permit/v1";
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  readonly jurisdiction: string;
  readonly manifest_digest: string;
  readonly epoch: number;
  readonly failover: string;
  readonly nonce: string;
  /** The gateway it is for. */
  readonly instance: string;
  readonly lifetime_ms: number;
  readonly tier: Tier;
  /** `enhanced`: something is not shown to be intact, and every decision is told. */
  readonly monitoring: "normal" | "enhanced";
  /** RFC 3339, for people. */
  readonly issued: string;
}

/** What the permit must say to whoever asked. */
export interface PermitExpected {
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  readonly manifest_digest: string;
  readonly nonce: string;
  readonly instance: string;
  /** The newest epoch that was seen: an older one is a zombie's. */
  readonly epochMin: number;
  readonly lifetimeMsMax: number;
}

const tiers: readonly string[] = ["full", "escrow", "reads_only", "stop"] satisfies Tier[];

/** The signature was verified before. The error says which member is wrong. */
export function checkPermit(payload: JsonObject, expected: PermitExpected): Result<Permit, string> {
  if (payload["format"] !== "holdfast.permit/v1") return err("it is no permit of this format");
  for (const name of [
    "deployment",
    "tenant",
    "site",
    "manifest_digest",
    "nonce",
    "instance",
  ] as const)
    if (payload[name] !== expected[name])
      return err(`its ${name} is ${JSON.stringify(payload[name])}, not ${expected[name]}`);
  const { epoch, lifetime_ms: lifetime, tier, monitoring } = payload;
  if (!isCount(epoch) || epoch < 1) return err("its epoch is none");
  if (epoch < expected.epochMin)
    return err(`its epoch is ${epoch}, and ${expected.epochMin} was seen before`);
  if (!isCount(lifetime) || lifetime > expected.lifetimeMsMax)
    return err(`its lifetime is none of at most ${expected.lifetimeMsMax} ms`);
  if (typeof tier !== "string" || !tiers.includes(tier)) return err("its tier is not known");
  if (monitoring !== "normal" && monitoring !== "enhanced")
    return err("its monitoring is not known");
  const texts = ["jurisdiction", "failover", "issued"].every(
    (name) => typeof payload[name] === "string",
  );
  return texts && isJsonObject(payload)
    ? ok(payload as unknown as Permit)
    : err("it lacks its jurisdiction, its failover or its time");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** What hooks wait for (`holdfast failover await`): this site may act, shown to whoever asked with this nonce. */
export interface Verdict {
  readonly format: "holdfast.verdict/v1";
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  readonly manifest_digest: string;
  readonly epoch: number;
  readonly failover: string;
  readonly nonce: string;
  readonly tier: Tier;
  readonly issued: string;
}

export function checkVerdict(
  payload: JsonObject,
  expected: Pick<PermitExpected, "deployment" | "tenant" | "site" | "manifest_digest" | "nonce">,
): Result<Verdict, string> {
  if (payload["format"] !== "holdfast.verdict/v1") return err("it is no verdict of this format");
  for (const name of ["deployment", "tenant", "site", "manifest_digest", "nonce"] as const)
    if (payload[name] !== expected[name])
      return err(`its ${name} is ${JSON.stringify(payload[name])}, not ${expected[name]}`);
  const { epoch, tier } = payload;
  if (!isCount(epoch) || epoch < 1) return err("its epoch is none");
  if (typeof tier !== "string" || !tiers.includes(tier) || tier === "stop")
    return err("its tier lets nothing through");
  return ok(payload as unknown as Verdict);
}
