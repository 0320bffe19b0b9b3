/** The front server and the transport on real sockets: limits, smuggling shapes, and addresses that may not be asked. */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  addressAllowed,
  type FrontServer,
  serveFront,
  undiciTransport,
} from "../../src/adapters/http/index.ts";
import { jsonResponse, routed } from "../../src/gateway/index.ts";
import { silentLog } from "../fixtures/fake-spine.ts";
import { listen, type TestHttpServer } from "../fixtures/mcp-gateway.ts";

let front: FrontServer;
let served = 0;

beforeAll(async () => {
  const face = async (request: {
    readonly body: Uint8Array;
  }): Promise<ReturnType<typeof jsonResponse>> => {
    served += 1;
    return jsonResponse(200, { bytes: request.body.length });
  };
  front = await serveFront(routed([{ prefix: "/mcp", face }]), {
    host: "127.0.0.1",
    port: 0,
    log: silentLog,
    limits: { bodyBytesMax: 1_000, headersMax: 20, headersTimeoutMs: 500, requestTimeoutMs: 1_000 },
  });
});
afterAll(() => front.close());

/** Sends bytes as they are and gives the status of the answer; 0 when the connection just ends. */
async function raw(text: string): Promise<number> {
  const socket = connect(front.port, "127.0.0.1");
  socket.write(text);
  let answer = "";
  for await (const piece of socket.setTimeout(5_000, () => socket.destroy())) {
    answer += String(piece);
    if (answer.includes("\r\n\r\n")) break;
  }
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
}

const head = "Host: localhost\r\nContent-Type: application/json\r\n";
const cases: readonly (readonly [string, string, number])[] = [
  ["a plain request", `POST /mcp/x HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\n{}`, 200],
  [
    "two Host headers",
    `POST /mcp/x HTTP/1.1\r\n${head}Host: evil\r\nContent-Length: 2\r\n\r\n{}`,
    400,
  ],
  [
    "two Authorization headers",
    `POST /mcp/x HTTP/1.1\r\n${head}Authorization: a\r\nAuthorization: b\r\nContent-Length: 2\r\n\r\n{}`,
    400,
  ],
  [
    "two Origin headers",
    `POST /mcp/x HTTP/1.1\r\n${head}Origin: http://localhost\r\nOrigin: http://evil\r\nContent-Length: 2\r\n\r\n{}`,
    400,
  ],
  [
    "an absolute-form target",
    `POST http://localhost/mcp/x HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\n{}`,
    400,
  ],
  [
    "length and chunks at once",
    `POST /mcp/x HTTP/1.1\r\n${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ["no Host", "POST /mcp/x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400],
  [
    "a foreign Host",
    "POST /mcp/x HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}",
    403,
  ],
  [
    "a foreign Origin",
    `POST /mcp/x HTTP/1.1\r\n${head}Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}`,
    403,
  ],
  [
    "the origin null",
    `POST /mcp/x HTTP/1.1\r\n${head}Origin: null\r\nContent-Length: 2\r\n\r\n{}`,
    403,
  ],
  ["a long body, announced", `POST /mcp/x HTTP/1.1\r\n${head}Content-Length: 2000\r\n\r\n`, 413],
  [
    "a long body, in chunks",
    `POST /mcp/x HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${"x".repeat(2_000)}\r\n0\r\n\r\n`,
    413,
  ],
  [
    "too many headers",
    `POST /mcp/x HTTP/1.1\r\n${head}${"X-A: 1\r\n".repeat(30)}Content-Length: 2\r\n\r\n{}`,
    431,
  ],
  ["headers that never end", `POST /mcp/x HTTP/1.1\r\n${head}`, 408],
  ["a body that never ends", `POST /mcp/x HTTP/1.1\r\n${head}Content-Length: 9\r\n\r\n{`, 408],
  ["an unknown path", `GET /mcpx HTTP/1.1\r\n${head}\r\n`, 404],
];

for (const [what, text, status] of cases)
  test(`${what}: ${status}`, async () => {
    const before = served;
    expect(await raw(text)).toBe(status);
    expect(served - before).toBe(status === 200 ? 1 : 0);
  });

test.each([
  ["127.0.0.1", false, true],
  ["10.1.2.3", false, true],
  ["169.254.169.254", false, false],
  ["::ffff:169.254.169.254", false, false],
  ["::1", false, true],
  ["fd00:ec2::254", false, false],
  ["::ffff:a9fe:a9fe", false, false],
  ["::169.254.169.254", false, false],
  ["64:ff9b::a9fe:a9fe", false, false],
  ["64:ff9b::7f00:1", false, true],
  ["2002:a9fe:a9fe::1", false, false],
  ["100.100.100.200", false, false],
  ["168.63.129.16", false, false],
  ["2606:4700::1111", true, true],
  ["0.0.0.0", false, true],
  ["93.184.216.34", true, true],
  ["2606:2800:220:1::1", true, true],
  ["not an address", false, false],
] as const)("%s: public %s, not metadata %s", (address, isPublic, notMetadata) => {
  expect(addressAllowed(address, "public")).toBe(isPublic);
  expect(addressAllowed(address, "not_metadata")).toBe(notMetadata);
});

const common = { method: "GET", headers: {}, headTimeoutMs: 300, idleTimeoutMs: 300 } as const;

test("an address that is not public is not connected to, by number or by name", async () => {
  let asked = 0;
  const upstream: TestHttpServer = await listen((_request, response) => {
    asked += 1;
    response.end();
  });
  const transport = undiciTransport({ addresses: "public" });
  const { port } = new URL(upstream.url);
  for (const host of [
    "127.0.0.1",
    "localhost",
    "127.1",
    "0x7f.1",
    "2130706433",
    "[::ffff:127.0.0.1]",
  ]) {
    const sent = await transport.send({ ...common, url: `http://${host}:${port}/` });
    expect(sent).toMatchObject({
      ok: false,
      error: { kind: "not_sent", reason: "blocked_address" },
    });
  }
  expect(asked).toBe(0);
  await transport.close();
  upstream.close();
});

test("errors say whether the upstream may have acted", async () => {
  const silent = await listen(() => undefined);
  const redirecting = await listen((_request, response) => {
    response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
  });
  const transport = undiciTransport({ addresses: "not_metadata" });
  const to = (url: string): ReturnType<typeof transport.send> => transport.send({ ...common, url });
  expect(await to("http://127.0.0.1:1/")).toMatchObject({ error: { kind: "not_sent" } });
  expect(await to("http://nowhere.invalid/")).toMatchObject({ error: { kind: "not_sent" } });
  expect(await to(silent.url)).toMatchObject({ error: { kind: "unknown", reason: "timeout" } });
  expect(await to(redirecting.url)).toMatchObject({ ok: true, value: { status: 302 } });
  await transport.close();
  silent.close();
  redirecting.close();
});
