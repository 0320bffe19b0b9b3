/** The `Store` port on a real etcd: the contract, and what only a server can do to us. */
import { createServer, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { EtcdStore } from "../../../src/adapters/etcd/index.ts";
import { undiciTransport } from "../../../src/adapters/http/index.ts";
import type { Store } from "../../../src/ports.ts";
import { SharedState } from "../../../src/state/index.ts";
import { storeContract } from "../../contracts/store-contract.ts";
import { EtcdServer } from "../../fixtures/etcd.ts";
import { freePort } from "../../fixtures/free-port.ts";

const http = undiciTransport({ addresses: "not_metadata" });
let server: EtcdServer;
beforeAll(async () => {
  server = await EtcdServer.start();
});
afterAll(async () => {
  await server.remove();
  await http.close();
});

const listening: Server[] = [];
afterEach(() => {
  for (const each of listening.splice(0)) each.close().closeAllConnections();
});

let prefixes = 0;

function opened(hosts: string, prefix: string): Store {
  const store = EtcdStore.open(`etcd://${hosts}/${prefix}`, http);
  if (!store.ok) throw new Error(store.error);
  return store.value;
}

/** A part of the one server that nobody else uses. */
function part(): string {
  prefixes += 1;
  return `contract/${prefixes}`;
}

const host = (port: number): string => `127.0.0.1:${port}`;

storeContract("etcd", async () => {
  const prefix = part();
  return { open: async () => opened(host(server.port), prefix) };
});

const one = (store: Store, n: number) => store.attempt(["k"], () => new Map([["k", { n }]]));

async function numberIn(store: Store): Promise<unknown> {
  const read = await store.read(["k"]);
  return read.ok ? (read.value.get("k")?.["n"] ?? null) : read.error;
}

type Meddling = "pass" | "cut_after" | "garbage" | "503";

/** Stands before etcd and passes everything on, but for what `meddle` makes of it. Returns its port. */
async function before(meddle: (nth: number) => Meddling | Promise<Meddling>): Promise<number> {
  let nth = 0;
  const proxy = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    incoming.on("data", (piece: Buffer) => pieces.push(piece));
    incoming.on("end", async () => {
      nth += 1;
      const what = await meddle(nth);
      const body = Buffer.concat(pieces);
      const answer = await fetch(server.url + incoming.url, { method: "POST", body });
      const text = await answer.text();
      if (what === "cut_after") return outgoing.destroy();
      if (what === "503")
        return outgoing.writeHead(503).end('{"message":"etcdserver: request timed out"}');
      return outgoing.writeHead(answer.status).end(what === "garbage" ? "{" : text);
    });
  });
  listening.push(proxy);
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  const address = proxy.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a key that changed and changed back between read and commit is a conflict", async () => {
  const prefix = part();
  const other = opened(host(server.port), prefix);
  await one(other, 1);
  const port = await before(async (nth): Promise<Meddling> => {
    if (nth === 2) for (const n of [2, 1]) expect((await one(other, n)).ok).toBe(true);
    return "pass";
  });
  const attempted = await one(opened(host(port), prefix), 9);
  expect(attempted.ok ? "ok" : attempted.error.kind).toBe("conflict");
  expect(await numberIn(other)).toBe(1);
});

for (const fault of ["cut_after", "garbage", "503"] as const)
  test(`a commit whose answer is ${fault} is unknown, and no other member is asked for it`, async () => {
    const prefix = part();
    // The first attempt is 1 and 2, read and commit; the second attempt's commit is 4.
    const first = await before((nth) => (nth === 4 ? fault : "pass"));
    let second = 0;
    const next = await before(() => {
      second += 1;
      return "pass";
    });
    const store = opened(`${host(first)},${host(next)}`, prefix);
    expect(await one(store, 1)).toEqual({ ok: true, value: undefined });
    const attempted = await one(store, 2);
    expect(attempted.ok ? "ok" : attempted.error.kind).toBe("unknown");
    expect(second).toBe(0);
    expect(await numberIn(store)).toBe(2);
  });

test("a read whose answer is cut is asked of the next member", async () => {
  const store = opened(`${host(await before(() => "cut_after"))},${host(server.port)}`, part());
  expect(await numberIn(store)).toBe(null);
});

test("a member that is gone is passed over, for reads and writes", async () => {
  const store = opened(`${host(await freePort())},${host(server.port)}`, part());
  expect(await one(store, 1)).toEqual({ ok: true, value: undefined });
  expect(await numberIn(store)).toBe(1);
});

test("a member of another cluster is not believed and not written to", async () => {
  const stranger = await EtcdServer.start();
  const prefix = part();
  try {
    const store = opened(`${host(server.port)},${host(stranger.port)}`, prefix);
    expect(await one(store, 1)).toEqual({ ok: true, value: undefined });
    await server.kill();
    const attempted = await one(store, 2);
    expect(attempted.ok ? "ok" : attempted.error.kind).toBe("unreachable");
    expect(attempted.ok ? "" : attempted.error.detail).toMatch(/it is of cluster \d+, the others/);
    expect(await numberIn(opened(host(stranger.port), prefix))).toBe(null);
  } finally {
    await stranger.remove();
    await server.start();
  }
});

test("what was acknowledged is there after a kill; meanwhile it is unreachable, then it is used again", async () => {
  const store = opened(host(server.port), part());
  expect(await one(store, 1)).toEqual({ ok: true, value: undefined });
  await server.kill();
  const read = await store.read(["k"]);
  expect(read.ok ? "ok" : read.error.kind).toBe("unreachable");
  await server.start();
  expect(await numberIn(store)).toBe(1);
});

test("a member that is stopped is given up in bounded time: a read is unreachable", async () => {
  const store = opened(host(server.port), part());
  await one(store, 1);
  server.signal("SIGSTOP");
  try {
    const read = await store.read(["k"]);
    expect(read.ok ? "ok" : read.error.kind).toBe("unreachable");
  } finally {
    server.signal("SIGCONT");
  }
});

test("more keys than etcd takes in one transaction are refused, in its words", async () => {
  const store = opened(host(server.port), part());
  const keys = Array.from({ length: 129 }, (_, at) => `k/${at}`);
  const read = await store.read(keys);
  expect(read.ok ? "" : `${read.error.kind}: ${read.error.detail}`).toMatch(
    /^unreachable: .*too many operations in txn request/,
  );
});

test("with users: without a password nothing is had, with it everything, also after tokens ended", async () => {
  const guarded = await EtcdServer.start(["--auth-token-ttl", "1"]);
  try {
    for (const [path, body] of [
      ["/v3/auth/role/add", { name: "root" }],
      ["/v3/auth/user/add", { name: "root", password: "p@ss" }],
      ["/v3/auth/user/grant", { user: "root", role: "root" }],
      ["/v3/auth/enable", {}],
    ] as const)
      await guarded.ask(path, body);
    const anybody = await one(opened(host(guarded.port), "a"), 1);
    expect(anybody.ok ? "ok" : anybody.error.kind).toBe("unreachable");
    const store = opened(`root:p%40ss@${host(guarded.port)}`, "a");
    expect(await one(store, 1)).toEqual({ ok: true, value: undefined });
    await guarded.kill();
    // Its tokens are in memory only.
    await guarded.start();
    expect(await one(store, 2)).toEqual({ ok: true, value: undefined });
    const wrong = await one(opened(`root:no@${host(guarded.port)}`, "a"), 3);
    expect(wrong.ok ? "ok" : wrong.error.detail).toMatch(/authentication failed/);
    expect(await numberIn(store)).toBe(2);
  } finally {
    await guarded.remove();
  }
});

test("a store restored from before a commit: regressed, for good", async () => {
  const prefix = part();
  const state = new SharedState(opened(host(server.port), prefix), { process: "guard/one" });
  const spend = (key: string) =>
    state.transact([key], () => ({ writes: new Map([[key, { spent: true }]]), result: key }));
  expect((await spend("token/1")).ok).toBe(true);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const range = { key: base64(`${prefix}/`), range_end: base64(`${prefix}0`) };
  const kept = (await server.ask("/v3/kv/range", range)) as {
    kvs: { key: string; value: string }[];
  };
  expect((await spend("token/2")).ok).toBe(true);
  await server.ask("/v3/kv/deleterange", range);
  for (const { key, value } of kept.kvs) await server.ask("/v3/kv/put", { key, value });
  const after = await spend("token/2");
  expect(after.ok ? "ok" : after.error.kind).toBe("regressed");
  await state.close();
});
