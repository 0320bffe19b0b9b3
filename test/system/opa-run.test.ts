/** A stock OPA server runs on the bundle that we publish and serve: activates it, answers like us, reports to us. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBundle, writeBundle } from "../../src/adapters/bundle/index.ts";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { openDisk } from "../../src/adapters/disk/index.ts";
import { type FrontServer, serveFront } from "../../src/adapters/http/index.ts";
import { openBundleKey } from "../../src/adapters/keys/index.ts";
import { BundleProtocol, BundlePublisher } from "../../src/control/index.ts";
import { type FrontFace, headerOf } from "../../src/gateway/index.ts";
import { type BundleSigner, compile, loadPolicySet } from "../../src/policy/index.ts";
import type { Log } from "../../src/ports.ts";
import { comparable } from "../unit/policy/comparable.ts";
import { request } from "../unit/policy/generate.ts";
import { OpaServer, opaConfig } from "./opa/opa-server.ts";

const policies = (limit: number) => [
  {
    path: "pay.yaml",
    text: `
policy: pay
rules:
  - id: large
    match: { tools: ["pay:*"], effect: write }
    when: args.n > ${limit}
    outcome: approval_needed
    reason: a person looks at large payments
  - id: usual
    match: { agents: ["desk*"] }
    outcome: allow
    reason: desks may work
`,
  },
];

const silent: Log = { write: () => undefined };
let folder: string;
let publisher: BundlePublisher;
let protocol: BundleProtocol;
let server: FrontServer;
let signer: BundleSigner;
let opa: OpaServer;
/** What the server hands out instead of the published archive. */
let replacement: Uint8Array | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-opa-run-"));
  const key = await openBundleKey(join(folder, "keys/bundle.pem"), join(folder, "bundle.pub"));
  if (!key.ok) throw new Error(key.error.detail);
  signer = key.value;
  publisher = new BundlePublisher({
    clock: systemClock,
    disk: openDisk(folder),
    log: silent,
    signer,
    archive: writeBundle,
    unpack: readBundle,
    toolSchemas: () => new Map(),
  });
  expect(await publisher.publish(policies(50_000))).toMatchObject({ errors: [] });
  protocol = new BundleProtocol(publisher, systemClock);
  server = await serveFront(face, { host: "127.0.0.1", port: 0, log: silent });
  opa = await OpaServer.start(folder, opaConfig(server.url, signer));
});

afterAll(async () => {
  opa?.stop();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const face: FrontFace = async (asked) => {
  const gzipped = headerOf(asked, "content-encoding") === "gzip";
  const answer = protocol.answer({
    method: asked.method,
    path: asked.path,
    ifNoneMatch: replacement ? undefined : headerOf(asked, "if-none-match"),
    body: gzipped ? gunzipSync(asked.body) : asked.body,
  });
  if (answer === undefined) return { status: 404, headers: {}, body: new Uint8Array() };
  return answer.status === 200 && replacement && asked.path.startsWith("/bundles")
    ? { ...answer, headers: {}, body: replacement }
    : answer;
};

test("OPA answers like the native engine, verdict and yes-or-no", async () => {
  expect(await opa.revision()).toBe(publisher.status.revision);
  const { set } = loadPolicySet(policies(50_000));
  if (set === undefined) throw new Error("the policies load");
  const engine = compile(set, "r");
  const seen = new Set<string>();
  for (const asked of fc.sample(request, { seed: 7, numRuns: 300 })) {
    const verdict = engine.decide(asked);
    seen.add(verdict.outcome);
    const theirs = (await opa.ask("holdfast/verdict", asked)) as typeof verdict;
    expect(comparable(theirs)).toEqual(comparable(verdict));
    expect(await opa.ask("holdfast/allow", asked)).toBe(verdict.outcome === "allow");
  }
  expect([...seen].sort()).toEqual(["allow", "approval_needed", "deny"]);
});

test("what is no request is denied", async () => {
  for (const input of [{}, null, "x", { subject: { id: "desk" } }]) {
    expect(await opa.ask("holdfast/verdict", input)).toMatchObject({ outcome: "deny" });
    expect(await opa.ask("holdfast/allow", input)).toBe(false);
  }
});

test("a new revision is activated, and an unchanged one is not sent again", async () => {
  await publisher.publish(policies(60_000));
  const { revision } = publisher.status;
  await opa.eventually("the new revision", async () => (await opa.revision()) === revision);
  const first = await fetch(`${server.url}/bundles/holdfast`);
  const etag = first.headers.get("etag") ?? "";
  const second = await fetch(`${server.url}/bundles/holdfast`, {
    headers: { "if-none-match": etag },
  });
  expect([first.status, second.status]).toEqual([200, 304]);
});

test("a changed bundle is refused, and the last good one decides", async () => {
  const before = await opa.revision();
  const files = await readBundle(publisher.archive ?? new Uint8Array());
  if (!files.ok) throw new Error(files.error.detail);
  const text = Buffer.from(files.value.get("data.json") ?? []).toString();
  expect(text).toContain("60000");
  const changed = new Map(files.value).set("data.json", Buffer.from(text.replace("60000", "1")));
  replacement = await writeBundle(changed);
  await opa.eventually("the refusal", async () => opa.output.includes("digest mismatch"));
  expect(await opa.revision()).toBe(before);
  replacement = undefined;
});

test("decision logs and status reports are accepted", async () => {
  await opa.eventually("reports, the newest revision among them", async () => {
    const { decisionsReceived, instances } = protocol.reports;
    return decisionsReceived > 300 && instances[0]?.revision === publisher.status.revision;
  });
  expect(opa.output).not.toMatch(/Log upload failed|status.*(?:error|failed).*4\d\d/i);
});
