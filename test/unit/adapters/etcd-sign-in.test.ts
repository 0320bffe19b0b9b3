/** A token of etcd may have ended before it is used once. */
import { expect, test } from "vitest";
import { EtcdStore } from "../../../src/adapters/etcd/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import type { HttpTransport } from "../../../src/ports.ts";

/** A member whose first `dead` tokens are refused; the words are etcd's. */
function member(dead: number): { readonly http: HttpTransport; readonly signIns: () => number } {
  let signIns = 0;
  const answer = (url: string, token: unknown): readonly [number, object] => {
    if (url.endsWith("/v3/auth/authenticate")) {
      signIns += 1;
      return [200, { header: { cluster_id: "7" }, token: `t${signIns}` }];
    }
    return Number(String(token).slice(1)) > dead
      ? [200, { header: { cluster_id: "7" }, succeeded: true, responses: [{}] }]
      : [401, { code: 16, message: "etcdserver: invalid auth token" }];
  };
  const http: HttpTransport = {
    send: async ({ url, headers }) => {
      const [status, said] = answer(url, headers["authorization"]);
      const body = (async function* () {
        yield Buffer.from(JSON.stringify(said));
      })();
      return ok({ status, headers: { date: new Date(0).toUTCString() }, body });
    },
  };
  return { http, signIns: () => signIns };
}

const read = async (http: HttpTransport) => {
  const store = EtcdStore.open("etcd://root:p@one", http);
  if (!store.ok) throw new Error(store.error);
  return await store.value.read(["k"]);
};

test("it signs in again for each, and gives up after three", async () => {
  const slow = member(2);
  expect((await read(slow.http)).ok).toBe(true);
  expect(slow.signIns()).toBe(3);
  const never = member(9);
  const refused = await read(never.http);
  expect(refused.ok ? "" : refused.error.detail).toMatch(/invalid auth token/);
  expect(never.signIns()).toBe(3);
});
