/** One caller must not take what all callers share. */
import { expect, test } from "vitest";
import { acrossEras, StdioBridge, upstreamFace } from "../../../../src/gateway/index.ts";
import { err, ok } from "../../../../src/kernel/index.ts";
import type { HttpRequest, LinePeer, TransportError } from "../../../../src/ports.ts";
import { fakeIdentifier, fakeSpine, realClock, silentLog } from "../../../fixtures/fake-spine.ts";
import { answer, front, rpc, textOf, world } from "./mcp-world.ts";

/** A stdio server that answers every request at once. */
function echoPeer(): LinePeer {
  const waiting: Uint8Array[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  async function* lines(): AsyncGenerator<Uint8Array> {
    while (!ended) {
      const line = waiting.shift();
      if (line !== undefined) yield line;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    send: async (line) => {
      const { id } = JSON.parse(new TextDecoder().decode(line));
      if (id !== undefined) waiting.push(new TextEncoder().encode(answer(id, {}).body));
      wake();
      return ok(undefined);
    },
    lines: lines(),
    closed: new Promise(() => undefined),
    close: async () => {
      ended = true;
      wake();
    },
  };
}

test("a caller with every process gives one up to a caller with none, and gets no more itself", async () => {
  let taken = 0;
  const bridge = new StdioBridge({
    peers: { start: async () => ok(echoPeer()) },
    command: { command: ["x"], env: {}, lineBytesMax: 1_000 },
    clock: realClock,
    entropy: { bytes: (count) => new Uint8Array(count).fill(taken++) },
    log: silentLog,
    limits: { sessionsMax: 3, sessionIdleMs: 1 << 30 },
  });
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} };
  const open = async (owner: string): Promise<boolean> => {
    const body = new TextEncoder().encode(JSON.stringify(rpc(0, "initialize", params)));
    const request: HttpRequest = {
      ...{ method: "POST", url: "http://x.invalid", headers: {}, body },
      ...{ headTimeoutMs: 1, idleTimeoutMs: 0 },
    };
    return (await bridge.transportFor(owner).send(request)).ok;
  };
  for (const expected of [true, true, true, false]) expect(await open("greedy")).toBe(expected);
  expect(await open("modest")).toBe(true);
  expect(await open("greedy")).toBe(false);
  await bridge.close();
});

test("open streams of one caller are counted, and given back when they end", async () => {
  const { face } = upstreamFace(
    {
      ...{ server: "bank", url: "http://bank.test/mcp", trusted: false },
      transport: {
        send: async (request) => {
          async function* silent(): AsyncGenerator<Uint8Array> {
            yield new TextEncoder().encode(": open\n\n");
            await new Promise((end) => request.signal?.addEventListener("abort", end));
          }
          return ok({
            status: 200,
            headers: { "content-type": "text/event-stream" },
            body: silent(),
          });
        },
      },
    },
    {
      ...{ spine: fakeSpine(), identifier: fakeIdentifier, clock: realClock, log: silentLog },
      limits: { openPerCallerMax: 2 },
    },
  );
  const listen = async (agent: string, stop = new AbortController()): Promise<number> => {
    const request = front("", { authorization: `Bearer ${agent}` }, "GET");
    return (await face({ ...request, signal: stop.signal })).status;
  };
  const stop = new AbortController();
  expect([await listen("eve", stop), await listen("eve"), await listen("eve")]).toEqual([
    200, 200, 429,
  ]);
  expect(await listen("ada")).toBe(200);
  stop.abort();
  expect(await listen("eve")).toBe(200);
});

test("made-up tool names do not make the gateway list the tools again and again", async () => {
  const own: HttpRequest[] = [];
  const it = world((_, { id }) => answer(id, {}));
  for (let i = 0; i < 5; i++) {
    const { body } = await it.face(front(rpc(i, "tools/call", { name: `made-up-${i}` })));
    await textOf(body);
  }
  own.push(...it.listed);
  expect(own.length).toBe(1);
});

test("a call whose upstream talks and never answers ends as unknown", async () => {
  const spine = fakeSpine();
  const { face } = upstreamFace(
    {
      ...{ server: "bank", url: "http://bank.test/mcp", trusted: false },
      transport: {
        send: async (request) => {
          async function* chatty(): AsyncGenerator<Uint8Array> {
            while (request.signal?.aborted !== true) {
              yield new TextEncoder().encode(": still here\n\n");
              await realClock.sleep(5);
            }
          }
          return ok({
            status: 200,
            headers: { "content-type": "text/event-stream" },
            body: chatty(),
          });
        },
      },
    },
    {
      ...{ spine, identifier: fakeIdentifier, clock: realClock, log: silentLog },
      limits: { answerTimeoutMs: 50 },
    },
  );
  const { body } = await face(front(rpc(1, "prompts/get", { name: "x" })));
  expect(await textOf(body)).toMatch(/outcome=unknown/);
  expect(spine.outcomes).toEqual(["unknown"]);
});

test("between the eras the caller stays known", async () => {
  const asked: string[] = [];
  const transport = { send: async () => err(blocked) };
  const upstream = {
    ...{ server: "bank", url: "http://bank.test/mcp", trusted: false, transport },
    transportFor: (owner: string) => {
      asked.push(owner);
      return transport;
    },
  };
  const parts = { clock: realClock, entropy: { bytes: (count: number) => new Uint8Array(count) } };
  const request: HttpRequest = {
    ...{ method: "GET", url: upstream.url, headers: {} },
    ...{ headTimeoutMs: 1, idleTimeoutMs: 0 },
  };
  await acrossEras(upstream, parts).transportFor?.("ada").send(request);
  expect(asked).toEqual(["ada"]);
});

const blocked: TransportError = { kind: "not_sent", reason: "refused", detail: "test" };
