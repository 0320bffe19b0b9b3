import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readBundle, writeBundle } from "../../../src/adapters/bundle/index.ts";
import {
  BundleProtocol,
  BundlePublisher,
  type ControlRequest,
  currentBundlePath,
} from "../../../src/control/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import { type BundleSigner, bundleSigner } from "../../../src/policy/index.ts";
import type { Disk } from "../../../src/ports.ts";
import { SimClock } from "../../../src/sim/index.ts";

const good = [
  { path: "p.yaml", text: "policy: p\nrules:\n  - { id: all, match: {}, outcome: allow }\n" },
];
const other = [
  { path: "p.yaml", text: "policy: p\nrules:\n  - { id: other, match: {}, outcome: allow }\n" },
];
const broken = [
  { path: "p.yaml", text: "policy: p\nrules:\n  - { id: all, match: {}, outcom: allow }\n" },
];

function newKey(): BundleSigner {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = bundleSigner(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  if (!signer.ok) throw new Error(signer.error);
  return signer.value;
}

function opened(disk: Partial<Disk>, signer: BundleSigner, clock = new SimClock()) {
  const events: string[] = [];
  const publisher = new BundlePublisher({
    clock,
    disk: disk as Disk,
    log: { write: (_, event) => events.push(event) },
    signer,
    archive: writeBundle,
    unpack: readBundle,
    toolSchemas: () => new Map(),
  });
  return { publisher, protocol: new BundleProtocol(publisher, clock), clock, events };
}

const parts = (replace: Disk["replace"]) => opened({ replace }, newKey());

/** A disk with this one file. */
function oneFile() {
  const stored = { bytes: undefined as Uint8Array | undefined, writes: 0 };
  const disk: Partial<Disk> = {
    read: async (path) =>
      stored.bytes ? ok(stored.bytes) : err({ kind: "not_found", code: "ENOENT", path }),
    replace: async (_, bytes) => {
      stored.bytes = bytes;
      stored.writes += 1;
      return ok(undefined);
    },
  };
  return { stored, disk };
}

const get = (path: string, ifNoneMatch?: string) => ({
  method: "GET",
  path,
  ifNoneMatch,
  body: new Uint8Array(),
});
const post = (path: string, text: string) => ({
  method: "POST",
  path,
  ifNoneMatch: undefined,
  body: Buffer.from(text),
});

test("a good folder is stored and served; a broken one keeps the last good and says why", async () => {
  const stored: string[] = [];
  const { publisher, protocol } = parts(async (path) => {
    stored.push(path);
    return ok(undefined);
  });
  expect(protocol.answer(get("/bundles/holdfast"))?.status).toBe(404);
  const first = await publisher.publish(good);
  expect(first).toMatchObject({ rules: 1, errors: [] });
  const served = protocol.answer(get("/bundles/holdfast"));
  expect(served).toMatchObject({ status: 200, body: publisher.archive });

  const second = await publisher.publish(broken);
  expect(second.revision).toBe(first.revision);
  expect(second.errors.join()).toContain("p.yaml:3");
  expect(protocol.answer(get("/bundles/holdfast"))?.body).toEqual(served?.body);
  expect(stored).toEqual([currentBundlePath]);

  const etag = served?.headers["etag"];
  expect(protocol.answer(get("/bundles/holdfast", etag))?.status).toBe(304);
  expect(protocol.answer(get("/bundles/holdfast", `W/${etag}, "x"`))?.status).toBe(304);
  expect(protocol.answer(get("/bundles/holdfast", `"x"`))?.status).toBe(200);
});

test("a bundle that could not be stored is not served", async () => {
  const { publisher, protocol } = parts(async (path) =>
    err({ kind: "failed", code: "ENOSPC", path }),
  );
  expect((await publisher.publish(good)).errors.join()).toContain("ENOSPC");
  expect(protocol.answer(get("/bundles/holdfast"))?.status).toBe(404);
});

test("the same sources are neither signed nor stored again: the ETag stays", async () => {
  const { stored, disk } = oneFile();
  const { publisher, protocol } = opened(disk, newKey());
  await publisher.publish(good);
  const etag = protocol.answer(get("/bundles/holdfast"))?.headers["etag"];
  await publisher.publish(broken);
  expect(await publisher.publish(good)).toMatchObject({ errors: [] });
  expect(protocol.answer(get("/bundles/holdfast"))?.headers["etag"]).toBe(etag);
  expect(stored.writes).toBe(1);
  await publisher.publish(other);
  expect(protocol.answer(get("/bundles/holdfast"))?.headers["etag"]).not.toBe(etag);
  expect(stored.writes).toBe(2);
});

test("after a restart the stored bundle is served, also while the folder is broken", async () => {
  const { stored, disk } = oneFile();
  const key = newKey();
  const before = opened(disk, key);
  expect(await before.publisher.resume()).toMatchObject({ revision: null });
  expect(before.events).toEqual([]);
  const { revision } = await before.publisher.publish(good);

  const { publisher, protocol, events } = opened(disk, key);
  expect(await publisher.resume()).toMatchObject({ revision, rules: 1 });
  expect(protocol.answer(get("/bundles/holdfast"))?.body).toEqual(stored.bytes);
  const refused = await publisher.publish(broken);
  expect(refused).toMatchObject({ revision, rules: 1 });
  expect(refused.errors.join()).toContain("p.yaml:3");
  expect(protocol.answer(get("/bundles/holdfast"))?.body).toEqual(stored.bytes);
  expect(await publisher.publish(good)).toMatchObject({ revision, rules: 1, errors: [] });
  expect(stored.writes).toBe(1);
  expect(events).toEqual(["bundle_resumed", "policies_refused"]);
});

test.each([
  ["of another key", async () => (await published(newKey())) ?? new Uint8Array()],
  ["that is no archive", async () => Buffer.from("not gzip")],
])("a stored bundle %s is not served, and is replaced", async (_, make) => {
  const { stored, disk } = oneFile();
  stored.bytes = await make();
  const { publisher, protocol, events } = opened(disk, newKey());
  expect(await publisher.resume()).toMatchObject({ revision: null });
  expect(events).toEqual(["stored_bundle_refused"]);
  expect(protocol.answer(get("/bundles/holdfast"))?.status).toBe(404);
  expect(await publisher.publish(good)).toMatchObject({ errors: [] });
  expect(stored).toMatchObject({ bytes: publisher.archive, writes: 1 });
});

async function published(key: BundleSigner): Promise<Uint8Array | undefined> {
  const { stored, disk } = oneFile();
  await opened(disk, key).publisher.publish(good);
  return stored.bytes;
}

test("reports of OPA are counted, with numbers beyond 2^53 and nothing kept but labels and the bundle", () => {
  const { protocol } = parts(async () => ok(undefined));
  const status = `{"labels":{"id":"o1"},"bundles":{},"metrics":{"limit":9223372036854775807}}`;
  expect(protocol.answer(post("/status", status))?.status).toBe(200);
  expect(protocol.answer(post("/logs", `[{"decision_id":"d"},{"decision_id":"e"}]`))?.status).toBe(
    200,
  );
  expect(protocol.answer(post("/logs", `{}`))?.status).toBe(400);
  expect(protocol.answer(post("/status", `nonsense`))?.status).toBe(400);
  expect(protocol.answer(get("/logs"))?.status).toBe(405);
  expect(protocol.answer(get("/elsewhere"))).toBeUndefined();
  expect(protocol.reports.decisionsReceived).toBe(2);
  expect(protocol.reports.instances).toEqual([
    {
      ...{ id: "o1", labels: { id: "o1" }, revision: null, seenSecondsAgo: 0 },
      error: "it reports no bundle",
    },
  ]);
});

test("each new bundle has a higher serial, also over a restart and with a clock that went back", async () => {
  const { disk } = oneFile();
  const key = newKey();
  const clock = new SimClock();
  const before = opened(disk, key, clock);
  const first = await before.publisher.publish(good);
  expect(first.serial).toBe(clock.wallMs());
  expect(await before.publisher.publish(good)).toEqual(first);
  clock.jumpWall(-3_600_000);
  const { publisher } = opened(disk, key, clock);
  await publisher.resume();
  expect((await publisher.publish(other)).serial).toBe(first.serial + 1);
  const back = await publisher.publish(good);
  expect([back.revision, back.serial]).toEqual([first.revision, first.serial + 2]);
});

test("a person sees which revision each OPA decides with, and why not the newest", () => {
  const { protocol } = parts(async () => ok(undefined));
  const report = (id: string, bundle: object): string =>
    JSON.stringify({ labels: { id, version: "0.70.0" }, bundles: { holdfast: bundle } });
  const failing = { active_revision: "r1", code: "bundle_error", message: "digest mismatch" };
  protocol.answer(post("/status", report("b", { active_revision: "r2" })));
  protocol.answer(post("/status", report("a", failing)));
  protocol.answer(post("/status/other", report("b", { active_revision: "r3" })));
  const labels = (id: string) => ({ id, version: "0.70.0" });
  expect(protocol.reports.instances).toEqual([
    {
      ...{ id: "a", labels: labels("a"), revision: "r1", seenSecondsAgo: 0 },
      error: "bundle_error: digest mismatch",
    },
    { id: "b", labels: labels("b"), revision: "r3", error: null, seenSecondsAgo: 0 },
  ]);
});

describe("OPA's long polling", () => {
  const waiting = (etag: string | undefined, prefer: string): ControlRequest => ({
    ...get("/bundles/holdfast", etag),
    prefer,
  });
  const still = new AbortController().signal;

  test("holds who has the newest, until there is another, and says that it does", async () => {
    const { publisher, protocol, clock } = parts(async () => ok(undefined));
    await publisher.publish(good);
    const first = protocol.answer(get("/bundles/holdfast"));
    expect(first?.headers["content-type"]).toBe("application/gzip");
    const request = waiting(first?.headers["etag"], "modes=snapshot,delta;wait=30");
    let held = true;
    const holding = protocol.hold(request, still).then(() => {
      held = false;
    });
    await publisher.publish(good);
    expect(held).toBe(true);
    await publisher.publish(other);
    await holding;
    expect(clock.monotonicMs()).toBe(0);
    const answer = protocol.answer(request);
    expect([answer?.status, answer?.headers["content-type"]]).toEqual([
      200,
      "application/vnd.openpolicyagent.bundles",
    ]);
  });

  test("not longer than asked, and not who has none, or another, or does not ask", async () => {
    const { publisher, protocol, clock } = parts(async () => ok(undefined));
    await publisher.publish(good);
    const etag = protocol.answer(get("/bundles/holdfast"))?.headers["etag"];
    await protocol.hold(waiting(undefined, "wait=30"), still);
    await protocol.hold(waiting('"x"', "wait=30"), still);
    await protocol.hold(waiting(etag, "modes=snapshot"), still);
    await protocol.hold(waiting(etag, "wait=0"), still);
    await protocol.hold(waiting(etag, "wait=30"), AbortSignal.abort());
    expect(clock.monotonicMs()).toBe(0);
    await clock.run(protocol.hold(waiting(etag, "wait=30"), still));
    expect(clock.monotonicMs()).toBe(30_000);
    expect(protocol.answer(waiting(etag, "wait=30"))?.status).toBe(304);
  });
});
