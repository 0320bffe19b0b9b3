/** People let a site act although it is not shown to be intact: together, for a while, and written down first. */
import type { NoteVerifier } from "../../audit/index.ts";
import { err, type JsonObject, type JsonValue, ok, type Result } from "../../kernel/index.ts";
import { openEnvelope } from "../envelope.ts";
import type { BreakGlass } from "../manifest/manifest.ts";
import type { Tier } from "./tier.ts";

export const breakGlassType = "application/vnd.holdfast.break-glass+json";

export interface BreakGlassOrder {
  readonly format: "holdfast.break-glass/v1";
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  /** The manifest that those who signed had before them. */
  readonly manifest_digest: string;
  readonly reason: string;
  readonly tier: Exclude<Tier, "stop">;
  readonly seconds: number;
  /** RFC 3339; it is not taken up after that. */
  readonly not_after: string;
  /** Used once. */
  readonly nonce: string;
}

export interface BreakGlassGranted {
  readonly order: BreakGlassOrder;
  readonly signedBy: readonly string[];
}

/** `now`: RFC 3339 UTC. The error says what is missing. */
export function readBreakGlass(
  envelope: JsonValue,
  rules: BreakGlass,
  verifiers: readonly NoteVerifier[],
  expected: {
    readonly deployment: string;
    readonly tenant: string;
    readonly site: string;
    readonly manifest_digest: string;
    readonly now: string;
  },
): Result<BreakGlassGranted, string> {
  const opened = openEnvelope(envelope, breakGlassType, verifiers, { threshold: rules.quorum });
  if (!opened.ok) return opened;
  const { payload, signedBy } = opened.value;
  const order = orderOf(payload);
  if (order === undefined) return err("it is no break-glass order of this format");
  for (const name of ["deployment", "tenant", "site", "manifest_digest"] as const)
    if (order[name] !== expected[name])
      return err(`its ${name} is ${order[name]}, not ${expected[name]}`);
  if (order.not_after.slice(0, 19) < expected.now.slice(0, 19))
    return err(`it was to be used by ${order.not_after}`);
  if (order.seconds > rules.seconds_max)
    return err(`it asks for ${order.seconds} s, and at most ${rules.seconds_max} s are allowed`);
  return ok({ order, signedBy });
}

function orderOf(payload: JsonObject): BreakGlassOrder | undefined {
  const { format, tier, seconds } = payload;
  const texts = ["deployment", "tenant", "site", "manifest_digest", "reason", "not_after", "nonce"];
  if (format !== "holdfast.break-glass/v1") return undefined;
  if (!texts.every((name) => typeof payload[name] === "string" && payload[name] !== ""))
    return undefined;
  if (tier !== "full" && tier !== "escrow" && tier !== "reads_only") return undefined;
  if (!Number.isSafeInteger(seconds) || Number(seconds) < 1) return undefined;
  return payload as unknown as BreakGlassOrder;
}
