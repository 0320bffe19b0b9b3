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

test("bodies held together are bounded, and the room comes back", async () => {
  const front = await serve(async () => jsonResponse(200, {}), { bodiesBytesMax: 10_000 });
  const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n";
  const slow = client(front, head + "x".repeat(8_000));
  await new Promise((later) => setTimeout(later, 100));
  const post = async (): Promise<number> =>
    (await fetch(front.url, { method: "POST", body: "x".repeat(5_000) })).status;
  expect(await post()).toBe(503);
  slow.destroy();
  await new Promise((later) => setTimeout(later, 100));
  expect(await post()).toBe(200);
  expect(await post()).toBe(200);
});
