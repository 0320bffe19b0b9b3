/** Clients that give or take their bytes slowly, on real sockets. */
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type FrontServer, serveFront } from "../../../src/adapters/http/index.ts";
import { type FrontFace, jsonResponse } from "../../../src/gateway/index.ts";
import { silentLog } from "../../fixtures/fake-spine.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function serve(
  face: FrontFace,
  limits: NonNullable<Parameters<typeof serveFront>[1]["limits"]>,
): Promise<FrontServer> {
  const front = await serveFront(face, { host: "127.0.0.1", port: 0, log: silentLog, limits });
  opened.push(front);
  return front;
}

function client(front: FrontServer, text: string): Socket {
  const socket = connect(front.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text);
  opened.push({ close: () => socket.destroy() });
  return socket;
}

test("a client that takes nothing of its answer is cut off, and the answer's maker learns of it", async () => {
  let learnt: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    learnt = resolve;
  });
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1 << 20);
  }
  const front = await serve(
    async ({ signal }) => {
      signal.addEventListener("abort", () => learnt());
      return { status: 200, headers: {}, body: endless() };
    },
    { stalledTimeoutMs: 200 },
  );
  client(front, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").pause();
  await gone;
}, 10_000);

/** Everything the server says until it closes. */
async function said(socket: Socket): Promise<string> {
  let text = "";
  for await (const piece of socket) text += String(piece);
  return text;
}

test("a client that takes nothing of a whole answer is cut off too", async () => {
  const front = await serve(
    async () => ({ status: 200, headers: {}, body: new Uint8Array(64 << 20) }),
    { stalledTimeoutMs: 200 },
  );
  const idle = client(front, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").pause();
  await new Promise((later) => setTimeout(later, 1_000));
  let taken = 0;
  const closed = new Promise<void>((done) => idle.once("close", () => done()));
  idle.on("data", (piece: Buffer) => {
    taken += piece.length;
  });
  idle.resume();
  await closed;
  expect(taken).toBeLessThan(64 << 20);
}, 10_000);

test("a client that takes a large answer slowly, but takes it, gets it", async () => {
  const front = await serve(
    async () => ({ status: 200, headers: {}, body: new Uint8Array(8 << 20) }),
    { stalledTimeoutMs: 400 },
  );
  const slow = client(front, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  let taken = 0;
  for await (const piece of slow as AsyncIterable<Buffer>) {
    taken += piece.length;
    if (taken < 7 << 20) await new Promise((later) => setTimeout(later, 5));
  }
  expect(taken).toBeGreaterThan(8 << 20);
}, 20_000);

const post = (bytes: number): string =>
  `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n`;

test("bodies together are bounded: one that stays unfinished makes room, and is told so", async () => {
  const front = await serve(async () => jsonResponse(200, {}), { bodiesBytesMax: 10_000 });
  const slow = client(front, post(9_000) + "x".repeat(8_000));
  await new Promise((later) => setTimeout(later, 100));
  const whole = async (): Promise<number> =>
    (await fetch(front.url, { method: "POST", body: "x".repeat(5_000) })).status;
  expect(await whole()).toBe(200);
  expect(await said(slow)).toMatch(/^HTTP\/1\.1 503 .*bodies_bytes_max/s);
  for (let i = 0; i < 5; i++) expect(await whole()).toBe(200);
});

test("a body that is whole and being answered keeps its room; the next is refused until it ends", async () => {
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const face: FrontFace = async ({ path }) => {
    if (path === "/held") await held;
    return jsonResponse(200, {});
  };
  const front = await serve(face, { bodiesBytesMax: 10_000 });
  const body = "x".repeat(8_000);
  const first = fetch(`${front.url}/held`, { method: "POST", body });
  await new Promise((later) => setTimeout(later, 100));
  const next = async (): Promise<number> =>
    (await fetch(front.url, { method: "POST", body })).status;
  expect(await next()).toBe(503);
  end();
  expect((await first).status).toBe(200);
  expect(await next()).toBe(200);
});

test("one connection too many closes the one that was silent longest; those being answered stay", async () => {
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const face: FrontFace = async ({ path }) => {
    if (path === "/held") await held;
    return jsonResponse(200, {});
  };
  const front = await serve(face, { connectionsMax: 3 });
  const get = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const answered = said(client(front, get("/held")));
  const silent = said(client(front, ""));
  await new Promise((later) => setTimeout(later, 100));
  const slow = said(client(front, post(5)));
  await new Promise((later) => setTimeout(later, 100));
  expect(await said(client(front, get("/")))).toMatch(/^HTTP\/1\.1 200/);
  expect(await silent).toMatch(/^HTTP\/1\.1 503 .*connections_max/s);
  for (let i = 0; i < 3; i++)
    expect(await said(client(front, get("/")))).toMatch(/^HTTP\/1\.1 200/);
  client(front, "");
  client(front, "");
  expect(await slow).toMatch(/^HTTP\/1\.1 503 .*connections_max/s);
  end();
  expect(await answered).toMatch(/^HTTP\/1\.1 200/);
});

test("when all connections are being answered, the new one is refused", async () => {
  const front = await serve(() => new Promise(() => undefined), { connectionsMax: 2 });
  client(front, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client(front, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await new Promise((later) => setTimeout(later, 100));
  expect(await said(client(front, ""))).toMatch(/^HTTP\/1\.1 503 .*connections_max/s);
});
