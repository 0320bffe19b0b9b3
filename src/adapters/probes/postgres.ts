/** `postgres`: what a server says of itself, asked in a transaction that can change nothing. */
import type { PostgresVerification } from "../../failover/index.ts";
import { type Asked, queryOnce } from "../postgres/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { slotFound } from "./postgres-slot.ts";

type Check = PostgresVerification["check"];

export async function postgres(asking: Asking<PostgresVerification>): Promise<Found> {
  const { verification, question, signal, isTimeUp, secrets } = asking;
  const url = await secrets.read(verification.connection);
  const { timeoutMs } = question;
  const applicationName = `holdfast-probe-${question.component}`.slice(0, 63);
  const found = await queryOnce({ url, timeoutMs, signal, applicationName }, async (ask) => {
    await ask("BEGIN READ ONLY");
    await ask(`SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}`);
    const answer = await foundBy(ask, verification.check);
    await ask("ROLLBACK");
    return answer;
  });
  if (found.ok) return found.value;
  return inconclusive(
    isTimeUp() ? `the server did not answer within ${timeoutMs} ms` : found.error,
  );
}

async function foundBy(ask: Asked, check: Check): Promise<Found> {
  if ("query" in check) return queryFound(ask, check);
  if ("slot" in check) return slotFound(ask, check);
  if ("role" in check) return roleFound(ask, check);
  return synchronousFound(ask, check.synchronous_min);
}

async function queryFound(
  ask: Asked,
  { query, equals, at_least: atLeast }: Extract<Check, { readonly query: string }>,
): Promise<Found> {
  const [[value] = []] = await ask(query);
  if (value === undefined) return fail("the query answers no row", { observed: { rows: 0 } });
  const seen = { observed: { value } };
  const wanted = equals ?? (atLeast === undefined ? undefined : `at least ${atLeast}`);
  if (wanted === undefined)
    return inconclusive("nothing says what the query must answer (equals, at_least)", seen);
  const isNumber = value !== null && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value);
  if (atLeast !== undefined && !isNumber)
    return inconclusive(`the query answers ${JSON.stringify(value)}, which is no number`, seen);
  const isRight =
    (equals === undefined || value === equals) &&
    (atLeast === undefined || Number(value) >= atLeast);
  return isRight
    ? pass(`the query answers ${JSON.stringify(value)}`, seen)
    : fail(`the query answers ${JSON.stringify(value)}, expected ${wanted}`, seen);
}

/**
 * The timeline is that of the WAL that is written or received now: the control file learns of a promotion only with the
 * checkpoint after it.
 */
const roleQuery = `
  SELECT pg_is_in_recovery()::text AS standby,
    current_setting('default_transaction_read_only') AS read_only,
    (CASE WHEN pg_is_in_recovery() THEN greatest(
       (SELECT timeline_id FROM pg_control_checkpoint()),
       (SELECT received_tli FROM pg_stat_wal_receiver))
     ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END)::text AS timeline`;

async function roleFound(
  ask: Asked,
  { role, timeline_min: min = 0 }: Extract<Check, { readonly role: string }>,
): Promise<Found> {
  const [[standby, readOnly, written] = []] = await ask(roleQuery);
  const is = standby === "true" ? "standby" : "primary";
  const timeline = Number(written);
  const seen = { observed: { role: is, timeline } };
  if (is !== role) return fail(`it is a ${is}, expected a ${role}`, seen);
  if (is === "primary" && readOnly !== "off")
    return fail("it is a primary whose transactions are read only by default", seen);
  if (!(timeline >= min))
    return fail(`it is on timeline ${timeline}, expected ${min} or later`, seen);
  return pass(`it is a ${is} on timeline ${timeline}`, seen);
}

const synchronousQuery = `
  SELECT current_setting('synchronous_commit') AS level,
    current_setting('synchronous_standby_names') AS names,
    (SELECT count(*) FROM pg_stat_replication
     WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming')::text AS connected`;

/** How many must confirm a commit before it is acknowledged, and that so many are there to do it. */
async function synchronousFound(ask: Asked, min: number): Promise<Found> {
  const [[set, names, streaming] = []] = await ask(synchronousQuery);
  const level = set ?? "";
  const awaited = ["off", "local"].includes(level) ? 0 : awaitedBy(names ?? "");
  const connected = Number(streaming);
  const seen = { observed: { synchronous_commit: level, awaited, connected } };
  if (awaited < min)
    return fail(
      `a commit waits for ${awaited} standbys (synchronous_commit ${level}), expected ${min}`,
      seen,
    );
  if (!(connected >= min))
    return fail(`${connected} synchronous standbys are connected, expected ${min}`, seen);
  return pass(`a commit waits for ${awaited} standbys, ${connected} are connected`, seen);
}

/** `FIRST 2 (a, b, c)`, `ANY 2 (*)`, `2 (a, b)`; a list alone waits for one (PostgreSQL, `synchronous_standby_names`). */
function awaitedBy(names: string): number {
  if (names.trim() === "") return 0;
  const [, count] = /^\s*(?:FIRST\s+|ANY\s+)?(\d+)\s*\(/i.exec(names) ?? [];
  return count === undefined ? 1 : Number(count);
}
