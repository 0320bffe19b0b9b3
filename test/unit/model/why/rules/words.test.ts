/** The words of schedulers, registries and databases, of several versions and drivers, are understood alike. */
import { expect, test } from "vitest";
import { schedulerReasons } from "../../../../../src/model/why/rules/scheduler-words.ts";
import { isRefused, makeSaid } from "../../../../../src/model/why/rules/store-words.ts";

test.each([
  [
    // 1.26 and later.
    "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 node(s) didn't match pod anti-affinity rules. preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, 3 No preemption victims found for incoming pod.",
    { "schedule.anti_affinity": 3 },
  ],
  [
    // 1.19 to 1.21.
    "0/3 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 2 node(s) didn't match pod affinity/anti-affinity, 2 node(s) didn't satisfy existing pods anti-affinity rules.",
    { "schedule.anti_affinity": 2 },
  ],
  [
    "0/5 nodes are available: 2 node(s) had untolerated taint {team: a}, 1 node(s) had untolerated taint {team: b}, 2 Insufficient nvidia.com/gpu.",
    { "schedule.taint": 3, "schedule.resource": 2 },
  ],
  [
    "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.",
    { "schedule.topology_spread": 3 },
  ],
  ['0/3 nodes are available: persistentvolumeclaim "data" not found.', { "volume.missing": 3 }],
  ["0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", {}],
  [
    "0/2 nodes are available: 1 node(s) were unschedulable, 1 node(s) had volume node affinity conflict.",
    { "schedule.cordoned": 1, "volume.zone": 1 },
  ],
  ["0/2 nodes are available: 2 Too many pods.", { "schedule.resource": 2 }],
])("%s", (message, reasons) => {
  expect(Object.fromEntries(schedulerReasons(message))).toEqual(reasons);
});

test.each([
  [
    "read_only",
    "mysql",
    "ERROR 1290 (HY000): The MySQL server is running with the --super-read-only option so it cannot execute this statement",
  ],
  [
    "read_only",
    "mysql",
    "com.mysql.cj.jdbc.exceptions: Cannot execute statement in a READ ONLY transaction.",
  ],
  ["read_only", "mysql", "errno: 1836, sqlMessage: 'Running in read-only mode' (mysql2)"],
  ["read_only", "postgres", "pq: cannot execute INSERT in a read-only transaction"],
  [
    "read_only",
    "postgres",
    "Npgsql.PostgresException (0x80004005): 25006: cannot execute UPDATE in a read-only transaction",
  ],
  [
    "read_only",
    "postgres",
    "org.postgresql.util.PSQLException: ERROR: cannot execute nextval() during recovery",
  ],
  ["read_only", "redis", "READONLY You can't write against a read only replica."],
  [
    "read_only",
    "redis",
    "StackExchange.Redis.RedisCommandException: Command cannot be issued to a replica: SET cart",
  ],
  ["read_only", "mongo", "MongoServerError: not primary"],
  ["read_only", "mongo", "(NotWritablePrimary) not primary; mongo"],
  ["read_only", undefined, "attempt to write a readonly database: blocked because it is read only"],
  ["full", "mysql", "Error 1040: Too many connections (go-sql-driver/mysql)"],
  ["full", "postgres", "FATAL: sorry, too many clients already"],
  [
    "full",
    "postgres",
    "asyncpg: remaining connection slots are reserved for roles with the SUPERUSER attribute; postgres",
  ],
  ["full", "redis", "redis: ERR max number of clients reached"],
  [
    "credentials",
    "mysql",
    "ER_ACCESS_DENIED_ERROR: Access denied for user 'a'@'10.0.0.1' (using password: YES), mysql2",
  ],
  ["credentials", "postgres", 'postgres: FATAL: password authentication failed for user "a"'],
  ["credentials", "redis", "WRONGPASS invalid username-password pair or user is disabled."],
  ["credentials", "mongo", "MongoServerError: Authentication failed."],
] as const)("%s of %s: %s", (refusal, make, text) => {
  expect(isRefused(refusal, text)).toBe(true);
  expect(makeSaid(text)).toBe(make);
});

test.each([
  "open /data/x: read-only file system: cannot write",
  "Connection is read-only. Queries leading to data modification are not allowed",
  "serving in read-only preview",
])("says nothing of a database: %s", (text) => {
  expect(isRefused("read_only", text)).toBe(false);
});
