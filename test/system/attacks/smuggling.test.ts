/**
 * Bytes that two HTTP parsers could cut into requests differently. Whatever stands before the gateway, a request that it
 * did not mean to send must not be served: each case gives the status and the requests that the face was shown.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FrontServer, serveFront } from "../../../src/adapters/http/index.ts";
import { jsonResponse } from "../../../src/gateway/index.ts";
import { silentLog } from "../../fixtures/fake-spine.ts";

let front: FrontServer;
const served: string[] = [];

beforeAll(async () => {
  front = await serveFront(
    async ({ method, path, body }) => {
      served.push(`${method} ${path} ${body.length}`);
      return jsonResponse(200, {});
    },
    {
      ...{ host: "127.0.0.1", port: 0, log: silentLog },
      limits: { bodyBytesMax: 1_000, headersTimeoutMs: 500, requestTimeoutMs: 500 },
    },
  );
});
afterAll(() => front.close());

/** The statuses that come before the connection closes, or falls silent after an answer. */
async function raw(text: string): Promise<readonly number[]> {
  const socket = connect(front.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text, "latin1");
  let answer = "";
  socket.setTimeout(3_000, () => socket.destroy());
  socket.on("data", (piece: Buffer) => {
    answer += piece.toString("latin1");
    socket.setTimeout(200);
  });
  await new Promise((closed) => socket.once("close", closed));
  return [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
}

const host = "Host: localhost\r\n";
const post = (headers: string, body = "{}"): string =>
  `POST /a HTTP/1.1\r\n${host}${headers}\r\n\r\n${body}`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked", body);
const smuggled = `POST /smuggled HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`;

type Case = readonly [
  what: string,
  bytes: string,
  statuses: readonly number[],
  seen: readonly string[],
];
const refused = (what: string, bytes: string, status = 400): Case => [what, bytes, [status], []];

const cases: readonly Case[] = [
  refused(
    "CL.TE",
    post("Content-Length: 6\r\nTransfer-Encoding: chunked", `0\r\n\r\nG${smuggled}`),
  ),
  refused("TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4", `5c\r\n${smuggled}`)),
  refused(
    "TE.TE, identity second",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", `0\r\n\r\n${smuggled}`),
  ),
  refused(
    "TE.TE, cow second",
    post("Transfer-Encoding: chunked\r\nTransfer-encoding: cow", `0\r\n\r\n${smuggled}`),
  ),
  refused("chunked, identity", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
  refused("a coding nobody knows", post("Transfer-Encoding: xchunked", "0\r\n\r\n"), 501),
  refused(
    "a coding that hides the body",
    post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
    501,
  ),
  refused("blank before the colon", post("Transfer-Encoding : chunked", "0\r\n\r\n")),
  refused("vertical tab in the value", post("Transfer-Encoding: \x0bchunked", "0\r\n\r\n")),
  refused(
    "HTTP/1.0 with chunks",
    `POST /a HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  refused("two lengths", post("Content-Length: 2\r\nContent-Length: 2")),
  refused("a list of lengths", post("Content-Length: 2, 2")),
  refused("a signed length", post("Content-Length: +2")),
  refused("a negative length", post("Content-Length: -2")),
  refused("a length in hexadecimal", post("Content-Length: 0x2")),
  refused("a length beyond 64 bits", post("Content-Length: 99999999999999999999")),
  refused("obs-fold", `GET /a HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`),
  refused("a fold in the first header", `GET /a HTTP/1.1\r\n Host: localhost\r\n\r\n`),
  refused("bare LF after each line", "GET /a HTTP/1.1\nHost: localhost\n\n"),
  refused("bare CR in a value", `GET /a HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`),
  refused("NUL in a value", `GET /a HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`),
  refused("NUL in the target", `GET /a\0b HTTP/1.1\r\n${host}\r\n`),
  refused("a header without a colon", `GET /a HTTP/1.1\r\n${host}foo\r\n\r\n`),
  refused("a header without a name", `GET /a HTTP/1.1\r\n${host}: x\r\n\r\n`),
  refused("a chunk size beyond 64 bits", chunked("ffffffffffffffff1\r\n{}\r\n0\r\n\r\n")),
  refused("a signed chunk size", chunked("-2\r\n{}\r\n0\r\n\r\n")),
  refused("a chunk size with a prefix", chunked("0x2\r\n{}\r\n0\r\n\r\n")),
  refused("an endless chunk extension", chunked(`2;${"a".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`)),
  refused("a chunk extension that ends in LF", chunked("2;\n{}\r\n0\r\n\r\n")),
  refused("a chunk longer than it says", chunked("2\r\n{}x\r\n0\r\n\r\n")),
  refused("a length in the trailers", chunked("2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n")),
  refused("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refused("a version that is not spoken here", `GET /a HTTP/2.0\r\n${host}\r\n`, 505),
  refused("a version nobody speaks", `GET /a HTTP/1.2\r\n${host}\r\n`),
  refused("HTTP/0.9, never finished", "GET /a\r\n", 408),
  refused("a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  refused("CONNECT (authority-form)", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 501),
  refused("absolute-form", `GET http://localhost/a HTTP/1.1\r\n${host}\r\n`),
  refused("asterisk-form", `OPTIONS * HTTP/1.1\r\n${host}\r\n`),
  refused("no target", `GET  HTTP/1.1\r\n${host}\r\n`),
  refused("a method in lower case", `get /a HTTP/1.1\r\n${host}\r\n`),
  refused("an expectation nobody meets", post("Expect: 200-ok\r\nContent-Length: 2"), 417),
  refused(
    "an expectation before too long a body: no 100",
    post("Expect: 100-continue\r\nContent-Length: 2000", ""),
    413,
  ),
  refused(
    "a request behind a refused one",
    post("Authorization: a\r\nAuthorization: b\r\nContent-Length: 2") + smuggled,
  ),
  refused(
    "a request behind too long a body",
    post("Content-Length: 2000", "x".repeat(2_000)) + smuggled,
    413,
  ),
  refused(
    "a request behind too long a chunked body",
    chunked(`7d0\r\n${"x".repeat(2_000)}\r\n0\r\n\r\n`) + smuggled,
    413,
  ),
  [
    "a request behind one that closes",
    post("Connection: close\r\nContent-Length: 2") + smuggled,
    [400],
    ["POST /a 2"],
  ],
  [
    "an expectation that is met",
    post("Expect: 100-continue\r\nContent-Length: 2"),
    [100, 200],
    ["POST /a 2"],
  ],
  ["a chunk extension, ignored", chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), [200], ["POST /a 2"]],
  [
    "trailers, ignored",
    chunked("2\r\n{}\r\n0\r\nAuthorization: evil\r\nHost: evil\r\n\r\n"),
    [200],
    ["POST /a 2"],
  ],
  [
    "an upgrade, not taken",
    `GET /a HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    [200],
    ["GET /a 0"],
  ],
  [
    "an upgrade to h2c, not taken",
    `GET /a HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    [200],
    ["GET /a 0"],
  ],
  [
    "two requests at once, both meant",
    post("Content-Length: 2") + smuggled,
    [200, 200],
    ["POST /a 2", "POST /smuggled 2"],
  ],
  [
    "headers named like members of every object",
    `GET /a HTTP/1.1\r\n${host}__proto__: x\r\nconstructor: y\r\ntoString: z\r\n\r\n`,
    [200],
    ["GET /a 0"],
  ],
];

test.each(cases)("%s", async (_, bytes, statuses, seen) => {
  served.length = 0;
  expect(await raw(bytes)).toEqual(statuses);
  expect(served).toEqual(seen);
});
