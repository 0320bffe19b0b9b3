/** A logical slot that survives the next failover, by what each version of the server knows of it. */
import { isJsonObject, type JsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { Asked } from "../postgres/index.ts";
import { type Found, fail, inconclusive, pass } from "./asking.ts";

export interface SlotCheck {
  readonly slot: string;
  readonly lag_bytes_max?: number;
}

/** The row as JSON: a server tells what it knows, and older ones know less. */
const slotQuery = `
  SELECT pg_is_in_recovery()::text AS standby, to_jsonb(s)::text AS slot,
    pg_wal_lsn_diff(
      CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
      s.confirmed_flush_lsn)::text AS lag
  FROM (SELECT 1) AS one LEFT JOIN pg_replication_slots AS s ON s.slot_name = $1`;

export async function slotFound(ask: Asked, { slot: name, ...check }: SlotCheck): Promise<Found> {
  const [row] = await ask(slotQuery, [name]);
  if (row === undefined) return inconclusive("the server says nothing of its slots");
  const [inRecovery, text, behind] = row;
  const standby = inRecovery === "true";
  if (typeof text !== "string")
    return fail(`there is no slot ${name}`, { observed: { standby, slot: null } });
  const slot = objectOf(text);
  if (slot === undefined) return inconclusive(`what is said of slot ${name} cannot be read`);
  const lag = typeof behind === "string" ? Number(behind) : null;
  const seen = { observed: { ...about(slot), standby, lag_bytes: lag } };
  const wrong = wrongWith(slot, standby) ?? lagging(lag, check.lag_bytes_max);
  if (wrong !== undefined) return fail(`slot ${name} ${wrong}`, seen);
  return pass(
    `slot ${name} is permanent and valid${lag === null ? "" : `, ${lag} bytes behind`}`,
    seen,
  );
}

const told = [
  ...["slot_type", "plugin", "active", "temporary", "wal_status"],
  ...["conflicting", "invalidation_reason", "failover", "synced"],
];

const about = (slot: JsonObject): JsonObject =>
  Object.fromEntries(
    told.flatMap((name) => (slot[name] === undefined ? [] : [[name, slot[name]]])),
  );

function objectOf(text: string): JsonObject | undefined {
  const parsed = parseJsonStrict(Buffer.from(text));
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/**
 * What makes a slot no good after the next failover. From version 17 on a slot that the server itself synchronises is `temporary`
 * on the standby until it may be relied on, and is lost with the session of the worker.
 */
function wrongWith(slot: JsonObject, standby: boolean): string | undefined {
  const { slot_type: type, wal_status: wal, invalidation_reason: reason } = slot;
  if (type !== "logical") return `is ${String(type)}, not logical`;
  if (slot["temporary"] !== false) return "is temporary: it does not survive a failover";
  if (typeof reason === "string") return `is invalid: ${reason}`;
  if (slot["conflicting"] === true) return "is invalid: it conflicts with recovery";
  if (wal === "lost" || wal === "unreserved")
    return `has lost WAL that it needs, or is about to (${wal})`;
  const knowsFailover = slot["failover"] !== undefined;
  if (!knowsFailover) return undefined;
  if (standby && slot["synced"] !== true) return "is not synchronised from the primary";
  if (!standby && slot["failover"] !== true)
    return "is not marked for failover, so no standby has it";
  return undefined;
}

function lagging(lag: number | null, max: number | undefined): string | undefined {
  if (max === undefined) return undefined;
  if (lag === null || !Number.isFinite(lag)) return "does not say how far it is behind";
  return lag > max ? `is ${lag} bytes behind, expected at most ${max}` : undefined;
}
