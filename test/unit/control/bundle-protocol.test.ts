import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { writeBundle } from "../../../src/adapters/bundle/index.ts";
import { BundleProtocol, BundlePublisher, currentBundlePath } from "../../../src/control/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import { bundleSigner } from "../../../src/policy/index.ts";
import type { Disk } from "../../../src/ports.ts";

const good = [
  { path: "p.yaml", text: "policy: p\nrules:\n  - { id: all, match: {}, outcome: allow }\n" },
];
const broken = [
  { path: "p.yaml", text: "policy: p\nrules:\n  - { id: all, match: {}, outcom: allow }\n" },
];

function parts(replace: Disk["replace"]) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = bundleSigner(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  if (!signer.ok) throw new Error(signer.error);
  const publisher = new BundlePublisher({
    disk: { replace } as Disk,
    log: { write: () => undefined },
    signer: signer.value,
    archive: writeBundle,
    toolSchemas: () => new Map(),
  });
  return { publisher, protocol: new BundleProtocol(publisher) };
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

test("reports of OPA are counted, with numbers beyond 2^53 and nothing kept but labels and bundles", () => {
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
  expect([...protocol.reports.instances.values()]).toEqual([`{"labels":{"id":"o1"},"bundles":{}}`]);
});
