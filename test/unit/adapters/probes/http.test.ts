import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HttpVerification } from "../../../../src/failover/index.ts";
import { sha256Hex } from "../../../../src/kernel/index.ts";
import type { ProbeQuestion } from "../../../../src/ports.ts";
import {
  nonce,
  type Probing,
  probing,
  secret,
  site,
  type WebCounterpart,
  webServer,
} from "../../../fixtures/probing.ts";

let asked: IncomingMessage | undefined;
let answer: (response: ServerResponse, request: IncomingMessage) => void;
let server: WebCounterpart;
let probe: Probing;

beforeEach(async () => {
  probe = probing();
  server = await webServer((request, response) => {
    asked = request;
    answer(response, request);
  });
});
afterEach(async () => {
  await probe.close();
  await server.close();
});

const json = (value: unknown, status = 200, headers = {}) => {
  answer = (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  };
};
const ask = (more: Partial<HttpVerification> = {}, question: Partial<ProbeQuestion> = {}) =>
  probe.ask(
    { kind: "http", url: `${server.url}/health?key=1`, binding: "echo", expect: {}, ...more },
    question,
  );

const healthy = { site, nonce, state: { ok: true, "a/b": [1, 2] }, config: "sha256:aa" };

test("passes on what is expected, bound by the site and nonce of the answer", async () => {
  json(healthy, 200, { "x-mode": "full" });
  const body = JSON.stringify(healthy);
  const expected = {
    status: [200, 204],
    headers: { "X-Mode": "full" },
    json: { "/state/ok": true, "/state/a~1b/1": 2, "/state/a~1b": [1, 2] },
    body_digest: `sha256:${sha256Hex(body)}`,
  };
  expect(await ask({ expect: expected })).toEqual({
    verdict: "pass",
    because: `${server.address} answers as expected for part`,
    observed: { status: 200 },
    boundBy: "echo",
    site,
    nonce,
  });
  expect(asked?.headers["holdfast-nonce"]).toBe(nonce);
});

test("the echo may stand in headers", async () => {
  json("plain", 200, { "holdfast-site": site, "holdfast-nonce": nonce });
  expect(await ask()).toMatchObject({ verdict: "pass", boundBy: "echo" });
});

test.each<[string, unknown, Partial<HttpVerification>, string, string]>([
  ["another status", healthy, { expect: { status: [204] } }, "fail", "status 200, expected 204"],
  ["another value", healthy, { expect: { json: { "/state/ok": false } } }, "fail", "says true"],
  ["no value", healthy, { expect: { json: { "/state/no": 1 } } }, "fail", "nothing at /state/no"],
  ["no own member", healthy, { expect: { json: { "/toString": 1 } } }, "fail", "nothing at"],
  ["another header", healthy, { expect: { headers: { "x-a": "b" } } }, "fail", "x-a is null"],
  ["another body", healthy, { expect: { body_digest: "sha256:00" } }, "fail", "digest sha256:"],
  ["another site", { ...healthy, site: "dub" }, {}, "fail", "of site dub, not of fra"],
  ["an old answer", { ...healthy, nonce: "old" }, {}, "inconclusive", "another nonce"],
  ["no echo", { ok: true }, {}, "inconclusive", "neither its site nor the nonce"],
  ["garbage", "{", { expect: { json: { "/a": 1 } } }, "inconclusive", "no JSON"],
  [
    "one member twice",
    '{"ok":true,"ok":false}',
    { expect: { json: { "/ok": false } } },
    "inconclusive",
    "no JSON",
  ],
])("%s", async (_name, value, more, verdict, because) => {
  json(value);
  const finding = await ask(more);
  expect(finding.verdict).toBe(verdict);
  expect(finding.because).toContain(because);
});

test("what another site says stands in the finding", async () => {
  json({ ...healthy, site: "dub" });
  expect(await ask()).toMatchObject({ verdict: "fail", site: "dub", nonce, boundBy: "echo" });
});

test("bound by address, no echo is asked for, and none is believed", async () => {
  json({ site: "dub", nonce: "old" });
  expect(await ask({ binding: "address" })).toMatchObject({
    ...{ verdict: "pass", boundBy: "address", site, nonce },
  });
});

test("a redirect is not followed", async () => {
  json("", 302, { location: `${server.url}/elsewhere` });
  expect(await ask({ binding: "address" })).toMatchObject({ verdict: "fail" });
  expect(server.seen()).toBe(1);
});

test("its configuration must have the digest of the manifest, and be reported", async () => {
  json(healthy);
  const at = { config_digest_at: "/config" };
  expect(await ask(at, { configDigest: "sha256:aa" })).toMatchObject({ verdict: "pass" });
  expect(await ask(at, { configDigest: "sha256:bb" })).toMatchObject({
    ...{ verdict: "fail", because: "its configuration is sha256:aa, not sha256:bb" },
  });
  expect(await ask({}, { configDigest: "sha256:aa" })).toMatchObject({ verdict: "inconclusive" });
});

test("secrets are sent, and told nowhere, also when the answer repeats them", async () => {
  answer = (response, request) => {
    response.end(JSON.stringify({ site, nonce, you: request.headers.authorization }));
  };
  const headers = { Authorization: { env: "SECRET" } };
  const finding = await ask({ headers, expect: { json: { "/you": "x" } } });
  expect(asked?.headers.authorization).toBe(secret);
  expect(finding.because).toBe('it says "[secret]" at /you, expected "x"');
  expect(await ask({ headers: { a: { env: "NONE" } } })).toMatchObject({
    ...{ verdict: "inconclusive", because: "the variable NONE holds no secret" },
  });
});

test("an answer without end is left", async () => {
  answer = (response) => {
    const more = (): boolean => response.write("x".repeat(65_536));
    response.on("drain", () => {
      while (more());
    });
    while (more());
  };
  const finding = await ask();
  expect(finding).toMatchObject({ verdict: "inconclusive" });
  expect(finding.because).toContain("larger than 1048576 bytes");
});

test("evidence stays small", async () => {
  json({ site, nonce, long: "y".repeat(10_000) });
  const finding = await ask({ expect: { json: { "/long": 1 } } });
  expect(JSON.stringify(finding).length).toBeLessThan(1_500);
});
