/** What a change does, by its diff alone. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Change } from "../../event.ts";
import type { Effect } from "./diff.ts";
import type { Part } from "./part.ts";

/** What only moves code changes nothing; what takes something away more than what adds to it. */
export function behaviour(change: Change, effect: Effect): Part {
  const { diff } = change;
  const { kinds, kept, takes, brings, lost, factor } = effect;
  if (diff === undefined || diff.every(({ removed, added }) => removed.length + added.length === 0))
    return { nats: -1.5, reason: "" };
  const plain = plainOf(change, kinds);
  if (plain !== undefined) return plain;
  if (kinds.has("dependency") && !kinds.has("code")) return dependency(effect);
  if (!takes && !brings) return { nats: -2, reason: "moves code only" };
  if (factor !== undefined) {
    const shown = Number(factor.toPrecision(2));
    return {
      nats: -0.75 + Math.min(2, Math.log(factor)),
      reason: `changes a number by a factor of ${shown}`,
    };
  }
  if (kinds.has("config")) return { nats: 0.75, reason: "changes a setting" };
  if (!takes) return { nats: kept > 0 ? -1.5 : -0.25, reason: "" };
  return kept >= 0.75
    ? { nats: -0.25, reason: "" }
    : { nats: 0.75, reason: `takes away ${lost.slice(0, 4).join(", ")}` };
}

/** What its lines need not be read for. */
function plainOf({ kind, before, after }: Change, kinds: Effect["kinds"]): Part | undefined {
  const [only] = kinds.size === 1 ? kinds : [];
  if (only === "aside") return { nats: -4, reason: "touches nothing that runs" };
  if (only === "image") return { nats: -1.5, reason: "nothing tells what is in it" };
  if (kind === "scale" && Number(after) > Number(before))
    return { nats: -1.5, reason: "adds replicas" };
  return undefined;
}

function dependency({ isBreaking, isLargeStep }: Effect): Part {
  if (isBreaking)
    return {
      nats: 1,
      reason: "raises a dependency to another first number, which may break its users",
    };
  if (isLargeStep) return { nats: 0.25, reason: "raises a dependency by more than a patch" };
  return { nats: -1, reason: "" };
}

export function kindOf({ kind }: Change, { kinds }: Effect): CauseKind {
  if (kind === "flag") return "change.flag";
  if (kind === "migration") return "change.migration";
  const isSetting =
    !kinds.has("code") && !kinds.has("image") && (kinds.has("config") || kinds.has("dependency"));
  return kind === "config" || isSetting ? "change.config" : "change.code";
}
