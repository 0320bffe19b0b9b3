/** What an address of an etcd cluster means. */
import { expect, test } from "vitest";
import { EtcdStore } from "../../../src/adapters/etcd/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import type { HttpRequest, HttpTransport } from "../../../src/ports.ts";

/** The requests that one read makes; every one is refused. */
async function requests(address: string): Promise<readonly HttpRequest[] | string> {
  const seen: HttpRequest[] = [];
  const http: HttpTransport = {
    send: async (request) => {
      seen.push(request);
      const body = (async function* () {
        yield Buffer.from("{}");
      })();
      return ok({ status: 404, headers: {}, body });
    },
  };
  const store = EtcdStore.open(address, http);
  if (!store.ok) return store.error;
  await store.value.read(["k"]);
  return seen;
}

const keyOf = (request: HttpRequest | undefined): string => {
  const body = JSON.parse(Buffer.from(request?.body ?? []).toString());
  return Buffer.from(body.success[0].request_range.key, "base64").toString();
};

test("several members, a prefix, TLS, and what is taken where they are not said", async () => {
  const plain = await requests("etcd://one,10.0.0.2:23790/sites/eu");
  expect(typeof plain !== "string" && plain.map(({ url }) => url)).toEqual([
    "http://one:2379/v3/kv/txn",
    "http://10.0.0.2:23790/v3/kv/txn",
  ]);
  expect(typeof plain !== "string" && keyOf(plain[0])).toBe("sites/eu/k");
  const tls = await requests("etcds://user:p%40ss@one");
  expect(typeof tls !== "string" && tls[0]?.url).toBe("https://one:2379/v3/kv/txn");
  expect(typeof tls !== "string" && keyOf(tls[0])).toBe("holdfast/k");
});

test.each([
  "etcd://",
  "http://one",
  "etcd://one,",
  "etcd://one:x/",
  "etcd://a:%zz@one",
  "etcd://one/a b",
])("%s is refused without being repeated", async (address) => {
  const said = await requests(address);
  expect(said).toMatch(/^the (store's address is not etcd:|user or the password)/);
  if (address.length > 10) expect(said).not.toContain(address);
});
