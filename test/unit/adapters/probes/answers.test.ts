/** The kinds that read one answer over HTTP, against a server that answers as each case says. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubernetesVerification } from "../../../../src/failover/index.ts";
import {
  closedAddress,
  nonce,
  type Probing,
  probing,
  secret,
  site,
  type WebCounterpart,
  webServer,
} from "../../../fixtures/probing.ts";

const token = { env: "SECRET" } as const;
let server: WebCounterpart;
let probe: Probing;
let answer: (request: IncomingMessage, response: ServerResponse) => unknown;
let asked: { readonly path: string; readonly authorization: string | undefined }[];

beforeEach(async () => {
  asked = [];
  probe = probing();
  server = await webServer((request, response) => {
    asked.push({ path: request.url ?? "", authorization: request.headers.authorization });
    void answer(request, response);
  });
});
afterEach(async () => {
  await probe.close();
  await server.close();
});

const says = (status: number, value: unknown): void => {
  answer = (_request, response) => {
    response.writeHead(status).end(typeof value === "string" ? value : JSON.stringify(value));
  };
};

test.each([
  ["the version", 200, { data: { version: 7 } }, "pass", "in version 7"],
  ["another version", 200, { data: { version: 6 } }, "fail", "in version 6, expected 7"],
  ["the same as a text", 200, { data: { version: "7" } }, "fail", "expected 7"],
  ["no version", 200, { data: {} }, "inconclusive", "names no version at /data/version"],
  ["no such secret", 404, {}, "fail", "not there"],
  ["not allowed", 403, {}, "inconclusive", "status 403"],
  ["garbage", 200, "<html>", "inconclusive", "no JSON"],
])("secret_version: %s", async (_name, status, value, verdict, because) => {
  says(status, value);
  const finding = await probe.ask({
    ...{ kind: "secret_version", url: `${server.url}/v1/metadata/payments`, token },
    ...{ version_at: "/data/version", version: 7 },
  });
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe(verdict);
  expect(asked[0]?.authorization).toBe(`Bearer ${secret}`);
});

const echo = () => probe.ask({ kind: "escalation_echo", url: `${server.url}/echo`, token });

test("escalation_echo: what was sent comes back, at once or when it was acknowledged", async () => {
  let sent: Record<string, unknown> = {};
  answer = async (request, response) => {
    sent = JSON.parse(await text(request)) as Record<string, unknown>;
    response.end(JSON.stringify({ site: sent["site"], nonce: sent["nonce"] }));
  };
  expect(await echo()).toMatchObject({ verdict: "pass", boundBy: "echo", site, nonce });
  expect(sent).toMatchObject({ type: "holdfast.escalation_echo", site, nonce });
  let polls = 0;
  answer = (request, response) => {
    if (request.method === "POST") response.writeHead(202, { location: "/acknowledged/1" }).end();
    else if (++polls < 3) response.writeHead(202).end();
    else response.end(JSON.stringify({ site, nonce }));
  };
  expect(await echo()).toMatchObject({ verdict: "pass" });
  expect(polls).toBe(3);
});

test("escalation_echo: never acknowledged fails, and says so", async () => {
  answer = (_request, response) => response.writeHead(202, { location: "/later" }).end();
  const verification = { kind: "escalation_echo", url: server.url, token } as const;
  const finding = await probe.ask(verification, { timeoutMs: 700 });
  expect(finding.because).toContain("taken, and not acknowledged within 700 ms");
  expect(finding.verdict).toBe("fail");
});

test("escalation_echo: the token goes to no other address", async () => {
  const other = await webServer((_request, response) => void response.end());
  answer = (_request, response) => response.writeHead(202, { location: `${other.url}/x` }).end();
  expect(await echo()).toMatchObject({ verdict: "inconclusive" });
  expect(other.seen()).toBe(0);
  await other.close();
});

test.each([
  ["refused", 500, {}, "fail"],
  ["of another site", 200, { site: "dub", nonce }, "fail"],
  ["an old one", 200, { site, nonce: "old" }, "inconclusive"],
  ["of nobody", 200, {}, "inconclusive"],
])("escalation_echo: %s", async (_name, status, value, verdict) => {
  says(status, value);
  expect(await echo()).toMatchObject({ verdict });
});

const digest = `sha256:${"a".repeat(64)}`;
const deployment = {
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name: "gateway", uid: "u-1", generation: 3, resourceVersion: "77" },
  spec: {
    template: { spec: { containers: [{ name: "gateway", image: `r.example/g@${digest}` }] } },
  },
  status: {
    observedGeneration: 3,
    conditions: [
      { type: "Available", status: "True" },
      { type: "Progressing", status: "False" },
    ],
  },
};
const pod = {
  ...{
    kind: "Pod",
    metadata: { uid: "p" },
    spec: { containers: [{ image: "r.example/g:latest" }] },
  },
  status: { containerStatuses: [{ imageID: `r.example/g@${digest}` }] },
};
const object = "/apis/apps/v1/namespaces/agents/deployments/gateway";
const kubernetes = (more: Partial<KubernetesVerification>) =>
  probe.ask({ kind: "kubernetes", api_url: server.url, token, object, ...more });

test.each<[string, unknown, Partial<KubernetesVerification>, string, string]>([
  ["there", deployment, {}, "pass", "as it must be"],
  ["condition and image", deployment, { condition: "Available", images: [digest] }, "pass", ""],
  ["a pod by what it runs", pod, { images: [digest] }, "pass", ""],
  [
    "a condition that is False",
    deployment,
    { condition: "Progressing" },
    "fail",
    "Progressing False",
  ],
  ["no such condition", deployment, { condition: "Ready" }, "fail", "no condition Ready"],
  ["another image", deployment, { images: [`sha256:${"b".repeat(64)}`] }, "fail", "none of those"],
  ["one image missing", deployment, { images: [digest, "sha256:bb"] }, "fail", "not run sha256:bb"],
  ["no image", { ...deployment, spec: {} }, { images: [digest] }, "fail", "runs no image"],
  [
    "a status that is old",
    { ...deployment, status: { ...deployment.status, observedGeneration: 2 } },
    { condition: "Available" },
    "inconclusive",
    "older than",
  ],
  [
    "being deleted",
    {
      ...deployment,
      metadata: { ...deployment.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    },
    {},
    "fail",
    "being deleted",
  ],
  ["a list", { kind: "DeploymentList", items: [] }, {}, "inconclusive", "no single object"],
  ["garbage", "{", {}, "inconclusive", "no JSON"],
])("kubernetes: %s", async (_name, value, more, verdict, because) => {
  says(200, value);
  const finding = await kubernetes(more);
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe(verdict);
  expect(asked).toEqual([{ path: object, authorization: `Bearer ${secret}` }]);
});

test("kubernetes: not there is a no, not allowed says nothing", async () => {
  says(404, { kind: "Status" });
  expect(await kubernetes({})).toMatchObject({ verdict: "fail" });
  says(403, { kind: "Status" });
  expect(await kubernetes({})).toMatchObject({ verdict: "inconclusive" });
});

test("kubernetes: what people wrote has one digest at every site", async () => {
  says(200, deployment);
  const first = (await kubernetes({})).observed["config_digest"];
  says(200, { ...deployment, metadata: { ...deployment.metadata, uid: "u-2" }, status: {} });
  expect((await kubernetes({})).observed["config_digest"]).toBe(first);
  says(200, { ...deployment, spec: { replicas: 2 } });
  expect((await kubernetes({})).observed["config_digest"]).not.toBe(first);
});

test.each([
  ["accepts connections", () => server.address, "pass"],
  ["nobody listens", closedAddress, "fail"],
  ["no address", () => "somewhere", "inconclusive"],
])("tcp: %s", async (_name, address, verdict) => {
  expect(await probe.ask({ kind: "tcp", address: await address() })).toMatchObject({ verdict });
});
