/** AG-403 4.4: how far a standby has come is read before it is promoted; nothing is decided on it. */
import { afterEach, expect, test } from "vitest";
import { PostgresStore } from "../../../src/adapters/postgres/index.ts";
import type { Store } from "../../../src/ports.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";

const servers: PostgresServer[] = [];
const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const server of servers.splice(0).reverse()) await server.remove();
});

function opened(server: PostgresServer, standbys: boolean): Store {
  const store = PostgresStore.open(server.url, "standby-reads", { standbys });
  if (!store.ok) throw new Error(store.error);
  stores.push(store.value);
  return store.value;
}

test("a standby is read where that is asked for, never changed, and else refused", async () => {
  const primary = await PostgresServer.primary();
  servers.push(primary);
  const key = "watermark/gateway/fra/gateway";
  const writes = new Map([[key, { count: 7 }]]);
  expect(await opened(primary, false).attempt([key], () => writes)).toMatchObject({ ok: true });
  const standby = await primary.standby();
  servers.push(standby);
  const read = await opened(standby, true).read([key]);
  expect(read.ok && read.value.get(key)).toEqual({ count: 7 });
  const changed = await opened(standby, true).attempt([key], () => writes);
  expect(changed).toMatchObject({ ok: false, error: { kind: "unreachable" } });
  expect(await opened(standby, false).read([key])).toMatchObject({ ok: false });
});
