/** The tls probe against certificates that OpenSSL made. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TlsVerification } from "../../../src/failover/index.ts";
import { sha256Hex } from "../../../src/kernel/index.ts";
import { type Authority, authority, type Pair } from "../../fixtures/certificates.ts";
import { garbageServer, type Probing, probing } from "../../fixtures/probing.ts";

const good = "DNS:gateway.example,IP:127.0.0.1";
let trusted: Authority;
let stranger: Authority;
let probe: Probing;
let pair: Pair;
const servers: Server[] = [];

beforeAll(() => {
  trusted = authority();
  stranger = authority();
  probe = probing();
  pair = trusted.sign(good, 90);
});
afterAll(async () => {
  for (const server of servers) server.close();
  await probe.close();
  trusted.remove();
  stranger.remove();
});

async function serving(shown: Pair): Promise<string> {
  const server = createServer(shown).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => undefined);
  server.on("secureConnection", (socket) => socket.on("error", () => undefined));
  servers.push(server);
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ask = async (shown: Pair, more: Partial<TlsVerification> = {}) =>
  probe.ask({
    ...{ kind: "tls", address: await serving(shown), server_name: "gateway.example" },
    ...{ ca_file: trusted.file, days_left_min: 30, ...more },
  });

const pinOf = ({ cert }: Pair): string => {
  const { publicKey } = new X509Certificate(cert);
  return `sha256:${sha256Hex(publicKey.export({ type: "spki", format: "der" }))}`;
};

test("the right certificate, for a name and for an address, pinned", async () => {
  const finding = await ask(pair, { pin: pinOf(pair) });
  expect(finding).toMatchObject({
    ...{ verdict: "pass", boundBy: "address" },
    observed: { days_left: 89, key: pinOf(pair), serial: "01" },
  });
  expect(await ask(pair, { server_name: "127.0.0.1" })).toMatchObject({ verdict: "pass" });
});

test.each<[string, () => Pair, Partial<TlsVerification>, string]>([
  ["another name", () => pair, { server_name: "other.example" }, "is not for other.example"],
  ["another authority", () => stranger.sign(good, 90), {}, "chain is not trusted"],
  ["it has ended", () => trusted.sign(good, -1), {}, "ended"],
  ["it ends soon", () => trusted.sign(good, 5), {}, "ends in 4 days, expected 30"],
  ["another key", () => pair, { pin: `sha256:${"0".repeat(64)}` }, "pinned is sha256:00"],
])("%s", async (_name, shown, more, because) => {
  const finding = await ask(shown(), more);
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe("fail");
});

test("without an authority of its own, the roots of the world are asked", async () => {
  const address = await serving(pair);
  const verification = { address, server_name: "gateway.example", days_left_min: 30 };
  expect(await probe.ask({ kind: "tls", ...verification })).toMatchObject({ verdict: "fail" });
});

test("an authority that cannot be read says nothing", async () => {
  expect(await ask(pair, { ca_file: "/none" })).toMatchObject({ verdict: "inconclusive" });
});

test("who speaks no TLS says nothing", async () => {
  const garbage = await garbageServer();
  const finding = await probe.ask({
    ...{ kind: "tls", address: garbage.address, server_name: "a", days_left_min: 1 },
  });
  expect(finding).toMatchObject({ verdict: "inconclusive" });
  await garbage.close();
});

test("kubernetes and its API's own authority", async () => {
  const server = createHttps(pair, (_request, response) => void response.end('{"kind":"Pod"}'));
  server.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const api = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const verification = { kind: "kubernetes", api_url: api, object: "/api/v1/pods/a" } as const;
  const ours = await probe.ask({ ...verification, ca_file: trusted.file });
  expect(ours).toMatchObject({ verdict: "pass" });
  for (const file of [{ ca_file: stranger.file }, {}])
    expect(await probe.ask({ ...verification, ...file })).toMatchObject({
      verdict: "inconclusive",
    });
});
