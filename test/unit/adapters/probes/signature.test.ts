import { text } from "node:stream/consumers";
import { CompactSign, exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  nonce,
  type Probing,
  probing,
  site,
  type WebCounterpart,
  webServer,
} from "../../../fixtures/probing.ts";

type Key = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

let probe: Probing;
let server: WebCounterpart;
let sign: (asked: string) => Promise<string> | string;
let keys: unknown;
let key: Key;

beforeAll(async () => {
  probe = probing();
  const made = await generateKeyPair("ES256");
  key = made.privateKey;
  keys = { keys: [{ ...(await exportJWK(made.publicKey)), kid: "k-1", alg: "ES256" }] };
  server = await webServer(async (request, response) => {
    if (request.url === "/jwks") return void response.end(JSON.stringify(keys));
    response.end(await sign(await text(request)));
  });
});
afterAll(async () => {
  await probe.close();
  await server.close();
});

const jws = (payload: string, by: Key = key, kid = "k-1") =>
  new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: "ES256", kid }).sign(by);
const ask = () =>
  probe.ask({
    ...{ kind: "signature", jwks_url: `${server.url}/jwks`, sign_url: `${server.url}/sign` },
  });

test("what it signs is what it was asked to, and verifies with the published key", async () => {
  sign = (asked) => jws(asked);
  expect(await ask()).toEqual({
    verdict: "pass",
    because: "what it signs with ES256 verifies with the published key",
    observed: { alg: "ES256", kid: "k-1" },
    ...{ boundBy: "echo", site, nonce },
  });
});

test("the nonce alone is enough, and binds it by its address only", async () => {
  sign = () => jws(nonce);
  expect(await ask()).toMatchObject({ verdict: "pass", boundBy: "address" });
});

test.each<[string, () => Promise<string> | string, string]>([
  [
    "another key",
    async () => jws(`${site} ${nonce}`, (await generateKeyPair("ES256")).privateKey),
    "fail",
  ],
  ["a key that is not published", () => jws(`${site} ${nonce}`, key, "k-2"), "fail"],
  ["another site", () => jws(`dub ${nonce}`), "fail"],
  ["an old signature", () => jws(`${site} old`), "inconclusive"],
  ["something else", () => jws("hello"), "inconclusive"],
  ["garbage", () => "no signature", "inconclusive"],
  ["nothing", () => "", "inconclusive"],
])("%s", async (_name, signed, verdict) => {
  sign = signed;
  expect(await ask()).toMatchObject({ verdict });
});

test("keys that cannot be read say nothing", async () => {
  sign = (asked) => jws(asked);
  const published = keys;
  keys = { keys: [] };
  expect(await ask()).toMatchObject({ verdict: "inconclusive" });
  keys = published;
});
