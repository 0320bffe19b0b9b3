/** A stock OPA server runs on the bundle that we publish and serve: activates it, answers like us, reports to us. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBundle, writeBundle } from "../../src/adapters/bundle/index.ts";
import { openDisk } from "../../src/adapters/disk/index.ts";
import { type FrontServer, serveFront } from "../../src/adapters/http/index.ts";
import { openBundleKey } from "../../src/adapters/keys/index.ts";
import { BundleProtocol, BundlePublisher } from "../../src/control/index.ts";
import { type FrontFace, headerOf } from "../../src/gateway/index.ts";
import { type BundleSigner, compile, loadPolicySet } from "../../src/policy/index.ts";
import type { Log } from "../../src/ports.ts";
import { comparable } from "../unit/policy/comparable.ts";
import { request } from "../unit/policy/generate.ts";
import { opaBinary } from "./opa/opa.ts";

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
const waitMs = 20_000;
let folder: string;
let publisher: BundlePublisher;
let protocol: BundleProtocol;
let server: FrontServer;
let signer: BundleSigner;
let opa: ChildProcess;
let opaUrl: string;
let opaOutput = "";
/** What the server hands out instead of the published archive. */
let replacement: Uint8Array | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-opa-run-"));
  const key = await openBundleKey(join(folder, "keys/bundle.pem"), join(folder, "bundle.pub"));
  if (!key.ok) throw new Error(key.error.detail);
  signer = key.value;
  publisher = new BundlePublisher({
    disk: openDisk(folder),
    log: silent,
    signer,
    archive: writeBundle,
    unpack: readBundle,
    toolSchemas: () => new Map(),
  });
  expect(await publisher.publish(policies(50_000))).toMatchObject({ errors: [] });
  protocol = new BundleProtocol(publisher);
  server = await serveFront(face, { host: "127.0.0.1", port: 0, log: silent });
  await startOpa();
});

afterAll(async () => {
  opa?.kill("SIGKILL");
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

async function startOpa(): Promise<void> {
  const port = await freePort();
  opaUrl = `http://127.0.0.1:${port}`;
  const polling = { min_delay_seconds: 1, max_delay_seconds: 1 };
  const config = {
    labels: { id: "opa-under-test" },
    services: { holdfast: { url: server.url } },
    keys: { [signer.keyId]: { algorithm: "ES256", key: signer.publicKeyPem } },
    bundles: {
      holdfast: {
        service: "holdfast",
        resource: "/bundles/holdfast",
        polling,
        signing: { keyid: signer.keyId },
      },
    },
    decision_logs: { service: "holdfast", reporting: polling },
    status: { service: "holdfast" },
  };
  const path = join(folder, "opa.json");
  writeFileSync(path, JSON.stringify(config));
  opa = spawn(opaBinary, ["run", "--server", "-a", `127.0.0.1:${port}`, "-c", path]);
  opa.stderr?.on("data", (chunk) => {
    opaOutput += chunk;
  });
  await eventually("OPA activates the bundle", async () => {
    const health = await fetch(`${opaUrl}/health?bundles=true`).catch(() => undefined);
    return health?.status === 200;
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + waitMs;
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`${what}: not in time\n${opaOutput}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function ask(path: string, input: unknown): Promise<unknown> {
  const response = await fetch(`${opaUrl}/v1/data/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input }),
  });
  return ((await response.json()) as { result?: unknown }).result;
}

async function askRevision(): Promise<unknown> {
  const response = await fetch(`${opaUrl}/v1/data/holdfast/allow?provenance=true`);
  const { provenance } = (await response.json()) as {
    provenance?: { bundles?: { holdfast?: { revision?: string } } };
  };
  return provenance?.bundles?.holdfast?.revision;
}

test("OPA answers like the native engine, verdict and yes-or-no", async () => {
  expect(await askRevision()).toBe(publisher.status.revision);
  const { set } = loadPolicySet(policies(50_000));
  if (set === undefined) throw new Error("the policies load");
  const engine = compile(set, "r");
  const seen = new Set<string>();
  for (const asked of fc.sample(request, { seed: 7, numRuns: 300 })) {
    const verdict = engine.decide(asked);
    seen.add(verdict.outcome);
    const theirs = (await ask("holdfast/verdict", asked)) as typeof verdict;
    expect(comparable(theirs)).toEqual(comparable(verdict));
    expect(await ask("holdfast/allow", asked)).toBe(verdict.outcome === "allow");
  }
  expect([...seen].sort()).toEqual(["allow", "approval_needed", "deny"]);
});

test("what is no request is denied", async () => {
  for (const input of [{}, null, "x", { subject: { id: "desk" } }]) {
    expect(await ask("holdfast/verdict", input)).toMatchObject({ outcome: "deny" });
    expect(await ask("holdfast/allow", input)).toBe(false);
  }
});

test("a new revision is activated, and an unchanged one is not sent again", async () => {
  await publisher.publish(policies(60_000));
  const { revision } = publisher.status;
  await eventually("the new revision", async () => (await askRevision()) === revision);
  const first = await fetch(`${server.url}/bundles/holdfast`);
  const etag = first.headers.get("etag") ?? "";
  const second = await fetch(`${server.url}/bundles/holdfast`, {
    headers: { "if-none-match": etag },
  });
  expect([first.status, second.status]).toEqual([200, 304]);
});

test("a changed bundle is refused, and the last good one decides", async () => {
  const before = await askRevision();
  const files = await readBundle(publisher.archive ?? new Uint8Array());
  if (!files.ok) throw new Error(files.error.detail);
  const text = Buffer.from(files.value.get("data.json") ?? []).toString();
  expect(text).toContain("60000");
  const changed = new Map(files.value).set("data.json", Buffer.from(text.replace("60000", "1")));
  replacement = await writeBundle(changed);
  await eventually("the refusal", async () => opaOutput.includes("digest mismatch"));
  expect(await askRevision()).toBe(before);
  replacement = undefined;
});

test("decision logs and status reports are accepted", async () => {
  await eventually("reports", async () => {
    const { decisionsReceived, instances } = protocol.reports;
    return decisionsReceived > 300 && instances.size > 0;
  });
  expect(opaOutput).not.toMatch(/Log upload failed|status.*(?:error|failed).*4\d\d/i);
});
