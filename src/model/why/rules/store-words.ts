/** What clients say when a database refuses them: by the codes and the words of the servers themselves, which drivers pass on. */
import type { LogTemplate } from "../../event.ts";
import type { Cluster, Workload } from "./cluster.ts";
import type { Make } from "./store.ts";

export type Refusal = "credentials" | "full" | "read_only";

/**
 * MySQL 1044, 1045 and SQLSTATE 28000; PostgreSQL 28P01, pg_hba.conf; Redis NOAUTH, WRONGPASS; MongoDB 18; SQL Server 18456.
 */
const credentials =
  /access denied for user|ER_ACCESS_DENIED|password authentication failed|no pg_hba\.conf entry|\b28P01\b|authentication ?failed|auth failed|invalid (?:username-)?password|WRONGPASS|NOAUTH|login failed for user|auth(?:entication)? error/i;
/** MySQL 1040, 1203, 1226; PostgreSQL 53300; PgBouncer; Redis and MongoDB by their limits. */
const full =
  /too many (?:open )?connections|ER_CON_COUNT|too many clients|remaining connection slots|max(?:imum)? number of clients|connection limit (?:is )?(?:exceeded|reached)|no more connections allowed|max_(?:user_)?connections|\b53300\b/i;
/** MySQL 1290, 1792, 1836, 1874; PostgreSQL 25006; SQL Server 3906; MongoDB 10107; Redis replicas, and Redis that cannot save. */
const readOnly =
  /\b(?:1290|1792|1836|1874|25006|3906)\b.*read.?only|during recovery|not ?(?:writable ?)?(?:primary|master)\b|cannot be issued to a (?:replica|slave)|READONLY you can't write|MISCONF redis/i;
/** Whoever words it otherwise says that something is read only, and that it is refused for that. */
const saysReadOnly = /read[-_ ]?only/i;
const saysRefused =
  /--(?:super-)?read|can(?:not|'t|n't)|could not|unable|prevent|forbid|not (?:allowed|permitted)|refus|reject|block|fail|because|(?:running|is) (?:in )?(?:a )?(?:super[-_ ])?read/i;
/** A file system is told with the volumes; a connection is made read only by its client. */
const otherReadOnly = /file ?system|connection is read-only|readOnlyRootFilesystem/i;

export function isRefused(refusal: Refusal, text: string): boolean {
  if (refusal === "credentials") return credentials.test(text);
  if (refusal === "full") return full.test(text);
  return readOnly.test(text) || lineOf(text, isReadOnly) !== "";
}

const isReadOnly = (line: string): boolean =>
  saysReadOnly.test(line) && saysRefused.test(line) && !otherReadOnly.test(line);

const lineOf = (text: string, is: (line: string) => boolean): string =>
  text.split("\n").find(is) ?? "";

export const unreachable: RegExp =
  /communications link failure|CommunicationsException|connection refused|ECONNREFUSED|could not connect to|connection to server .* failed|connect(?:ion)? timed out|ETIMEDOUT|connection attempt failed|no route to host|can't connect to|server ?selection ?(?:timeout|error)|not possible to connect/i;

/** Of which make the server is, as its words and its driver's names tell. */
export function makeSaid(text: string): Make | undefined {
  return makes.find(([pattern]) => pattern.test(text))?.[1];
}

const makes: readonly (readonly [RegExp, Make])[] = [
  [/mysql|mariadb|super[-_]read|innodb/i, "mysql"],
  [
    /postgres|psql|npgsql|\bpgx?\b|SQLSTATE|in a read-only transaction|during recovery|too many clients/i,
    "postgres",
  ],
  [/redis|jedis|lettuce|READONLY you|WRONGPASS|NOAUTH|MISCONF|to a (?:replica|slave)/i, "redis"],
  [/mongo|not ?(?:writable ?)?(?:primary|master)/i, "mongo"],
  [/sqlserver|SqlClient|mssql/i, "sqlserver"],
];

export const linesOf = (
  cluster: Cluster,
  workload: Workload,
  refusal: Refusal,
): readonly LogTemplate[] =>
  cluster.logs(workload).filter(({ example }) => isRefused(refusal, example));

/** The words around a match, or the beginning. */
export function excerpt({ example }: LogTemplate, pattern: RegExp): string {
  const at = Math.max(0, example.search(pattern));
  return example
    .slice(Math.max(0, at - 40), at + 100)
    .replace(/\s+/g, " ")
    .trim();
}

export function quoted(line: LogTemplate, refusal: Refusal): string {
  if (refusal === "credentials") return excerpt(line, credentials);
  if (refusal === "full") return excerpt(line, full);
  return excerpt(line, readOnly.test(line.example) ? readOnly : saysReadOnly);
}
