export { type Asked, queryOnce, type Rows } from "./query-once.ts";
export { PostgresStore } from "./store.ts";
