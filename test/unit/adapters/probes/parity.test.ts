import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../../src/adapters/clock/index.ts";
import { noteVerifier } from "../../../../src/audit/index.ts";
import { type ParityState, parityType, signEnvelope } from "../../../../src/failover/index.ts";
import { type JsonObject, ok } from "../../../../src/kernel/index.ts";
import { Random, simSigner } from "../../../../src/sim/index.ts";
import {
  nonce,
  type Probing,
  probing,
  site,
  type WebCounterpart,
  webServer,
} from "../../../fixtures/probing.ts";

const signer = simSigner("dub.guard.holdfast", new Random(1));
const stranger = simSigner("dub.guard.holdfast", new Random(2));
const state = (more: Partial<ParityState>): ParityState => ({
  ...{ format: "holdfast.parity/v1", deployment: "pay", tenant: "t", site, nonce },
  ...{ manifest_version: 3, manifest_digest: "sha256:aa", policies: ["r7"] },
  ...{ files: { "haproxy.cfg": "sha256:01" } },
  ...more,
});

let server: WebCounterpart;
let probe: Probing;
let there: Partial<ParityState>;
let by = signer;
let asked = "";
beforeEach(async () => {
  there = {};
  by = signer;
  server = await webServer((request, response) => {
    asked = request.url ?? "";
    const payload = { ...state({ site: "dub" }), ...there } as unknown as JsonObject;
    response.end(JSON.stringify(signEnvelope(parityType, payload, by)));
  });
  const key = noteVerifier(signer.name, signer.publicKey);
  probe = probing({}, systemClock, {
    own: async (own) => ok(state({ nonce: own })),
    sites: [{ site: "dub", guardUrl: server.url, key }],
  });
});
afterEach(async () => {
  await probe.close();
  await server.close();
});

const ask = (url = `${server.url}/parity`) => probe.ask({ kind: "parity", url });

test("the same as the other site, signed by its guard for this question", async () => {
  expect(await ask()).toEqual({
    ...{ verdict: "pass", because: "this site has what dub has" },
    observed: { compared_with: "dub", drifts: [] },
    ...{ boundBy: "echo", site, nonce },
  });
  expect(asked).toBe(`/parity?nonce=${nonce}`);
});

test.each<[string, Partial<ParityState>, string]>([
  ["another manifest", { manifest_digest: "sha256:bb" }, "manifest is sha256:aa here"],
  ["another policy", { policies: ["r8"] }, "policy is r7 here and r8 there"],
  ["another file", { files: { "haproxy.cfg": "sha256:02" } }, "haproxy.cfg is sha256:01 here"],
])("%s is a drift", async (_name, more, because) => {
  there = more;
  const finding = await ask();
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe("fail");
});

test.each<[string, Partial<ParityState>]>([
  ["of another site", { site: "iad" }],
  ["of another deployment", { deployment: "other" }],
  ["for another question", { nonce: "old" }],
  ["of another format", { format: "holdfast.parity/v2" as never }],
])("a statement %s says nothing", async (_name, more) => {
  there = more;
  expect(await ask()).toMatchObject({ verdict: "inconclusive" });
});

test("a statement of a stranger says nothing, nor does a guard that the manifest does not know", async () => {
  by = stranger;
  expect(await ask()).toMatchObject({ verdict: "inconclusive" });
  expect(await ask("http://127.0.0.1:1/parity")).toMatchObject({ verdict: "inconclusive" });
});
