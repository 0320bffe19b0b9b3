/** The contract of `HttpTransport`, held by the real and the simulated alike. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type ClosableTransport, undiciTransport } from "../../src/adapters/http/index.ts";
import type { HttpRequest, HttpTransport, TransportFailure } from "../../src/ports.ts";
import {
  FaultCounts,
  JournalingUpstream,
  noNetworkFaults,
  Random,
  type SimAnswer,
  SimClock,
  SimNetwork,
} from "../../src/sim/index.ts";

interface Wire {
  readonly transport: HttpTransport;
  /** Of an upstream that behaves as the path says. */
  readonly origin: string;
  /** Where nobody listens. */
  readonly deadOrigin: string;
  /** Paths in the order the upstream received them. */
  received(): readonly string[];
  live<T>(work: Promise<T>): Promise<T>;
  end(): Promise<void>;
}

const wires: Readonly<Record<string, () => Promise<Wire>>> = {
  real: realWire,
  simulated: simulatedWire,
};
const open: Wire[] = [];
afterEach(async () => {
  for (const wire of open.splice(0)) await wire.end();
});

for (const [name, make] of Object.entries(wires))
  describe(`${name} transport`, () => {
    const begin = async (): Promise<Wire> => {
      const wire = await make();
      open.push(wire);
      return wire;
    };

    test("sends once and returns status, headers and the whole body", async () => {
      const wire = await begin();
      const body = Buffer.from("x".repeat(5_000));
      const request = { ...to(wire, "/echo"), method: "POST", body, headers: { "x-a": "1" } };
      const sent = await wire.live(wire.transport.send(request));
      if (!sent.ok) throw new Error(sent.error.detail);
      expect(sent.value.status).toBe(201);
      expect(sent.value.headers["x-one"]).toBe("1");
      expect(sent.value.headers["x-two"]).toEqual(["1", "2"]);
      expect(await wire.live(textOf(sent.value.body))).toBe(body.toString());
      expect(wire.received()).toEqual(["/echo"]);
    });

    test("a redirect is an answer, not followed", async () => {
      const wire = await begin();
      const sent = await wire.live(wire.transport.send(to(wire, "/redirect")));
      expect(sent).toMatchObject({ ok: true, value: { status: 302 } });
      expect(wire.received()).toEqual(["/redirect"]);
    });

    test("a refused connection is not_sent", async () => {
      const wire = await begin();
      const request = { ...to(wire, "/echo"), url: `${wire.deadOrigin}/echo` };
      const sent = await wire.live(wire.transport.send(request));
      expect(sent).toMatchObject({ ok: false, error: { kind: "not_sent", reason: "refused" } });
      expect(wire.received()).toEqual([]);
    });

    test("an abort before it was sent is not_sent", async () => {
      const wire = await begin();
      const request = { ...to(wire, "/echo"), signal: AbortSignal.abort() };
      const sent = await wire.live(wire.transport.send(request));
      expect(sent).toMatchObject({ ok: false, error: { kind: "not_sent", reason: "aborted" } });
      expect(wire.received()).toEqual([]);
    });

    test("an upstream that says nothing may have acted: unknown, after the timeout", async () => {
      const wire = await begin();
      const request = { ...to(wire, "/silent"), headTimeoutMs: 100 };
      const sent = await wire.live(wire.transport.send(request));
      expect(sent).toMatchObject({ ok: false, error: { kind: "unknown", reason: "timeout" } });
      expect(wire.received()).toEqual(["/silent"]);
    });

    test("an abort while it is under way is unknown", async () => {
      const wire = await begin();
      const abort = new AbortController();
      const sending = wire.transport.send({ ...to(wire, "/silent"), signal: abort.signal });
      await until(() => wire.received().length === 1);
      abort.abort();
      const sent = await wire.live(sending);
      expect(sent).toMatchObject({ ok: false, error: { kind: "unknown", reason: "aborted" } });
    });

    test("an abort because time is up is a timeout", async () => {
      const wire = await begin();
      const abort = new AbortController();
      const sending = wire.transport.send({ ...to(wire, "/silent"), signal: abort.signal });
      await until(() => wire.received().length === 1);
      abort.abort(new DOMException("no answer within 5 ms", "TimeoutError"));
      const sent = await wire.live(sending);
      expect(sent).toMatchObject({ ok: false, error: { kind: "unknown", reason: "timeout" } });
    });

    test("a connection that is cut without an answer is unknown", async () => {
      const wire = await begin();
      const sent = await wire.live(wire.transport.send(to(wire, "/reset")));
      expect(sent).toMatchObject({ ok: false, error: { kind: "unknown", reason: "broken" } });
    });

    for (const [path, reason] of [["/breaks", "broken"] as const, ["/stalls", "timeout"] as const])
      test(`a body that ${path.slice(1)} throws unknown: ${reason}`, async () => {
        const wire = await begin();
        const request = { ...to(wire, path), idleTimeoutMs: 100 };
        const sent = await wire.live(wire.transport.send(request));
        if (!sent.ok) throw new Error(sent.error.detail);
        const failure = await wire.live(textOf(sent.value.body).catch((thrown: unknown) => thrown));
        expect((failure as TransportFailure).error).toMatchObject({ kind: "unknown", reason });
      });
  });

test("a request that still waits for a connection when it is aborted was not sent, and never is", async () => {
  const paths: string[] = [];
  const server = createServer((incoming) => paths.push(incoming.url ?? ""));
  const origin = `http://127.0.0.1:${await listen(server)}`;
  const transport = undiciTransport({ addresses: "not_metadata", connectionsMax: 1 });
  const request = { method: "GET", headers: {}, headTimeoutMs: 60_000, idleTimeoutMs: 0 };
  const first = transport.send({ ...request, url: `${origin}/first` });
  await until(() => paths.length === 1);
  const abort = new AbortController();
  const second = transport.send({ ...request, url: `${origin}/second`, signal: abort.signal });
  abort.abort(new DOMException("no answer within 5 ms", "TimeoutError"));
  expect(await second).toMatchObject({ ok: false, error: { kind: "not_sent", reason: "timeout" } });
  // The connection is free again, and what had its turn next is not sent.
  const third = transport.send({ ...request, url: `${origin}/third` });
  server.closeAllConnections();
  expect(await first).toMatchObject({ ok: false, error: { kind: "unknown" } });
  await until(() => paths.includes("/third"));
  expect(paths).toEqual(["/first", "/third"]);
  await transport.close();
  await third;
  server.closeAllConnections();
  server.close();
});

test("what the simulated network loses, doubles and delays, it counts, and not_sent was never received", async () => {
  const counts = new FaultCounts();
  const faults = {
    refused: 0.2,
    requestLost: 0.2,
    answerLost: 0.2,
    delivered2: 0.2,
    bodyBroken: 0.2,
    delayMsMax: 9,
  };
  const clock = new SimClock();
  const upstream = new JournalingUpstream(({ url }) => behave(new URL(url).pathname));
  const network = new SimNetwork({
    clock,
    counts,
    faults,
    random: new Random(11),
    upstreams: new Map([["http://up", upstream.receive]]),
  });
  for (let i = 0; i < 200; i++) {
    const [sent, before] = [
      await clock.run(network.send({ ...request, url: `http://up/redirect?${i}` })),
      upstream.journal.length,
    ];
    const times = upstream.journal.filter(({ url }) => url.endsWith(`?${i}`)).length;
    if (!sent.ok && sent.error.kind === "not_sent") expect(times).toBe(0);
    if (sent.ok) expect(times).toBeGreaterThanOrEqual(1);
    expect(times).toBeLessThanOrEqual(2);
    expect(before).toBe(upstream.journal.length);
  }
  for (const kind of ["refused", "requestLost", "answerLost", "delivered2"])
    expect(counts.of(`network.${kind}`), kind).toBeGreaterThan(10);
});

const request: Omit<HttpRequest, "url"> = {
  method: "GET",
  headers: {},
  headTimeoutMs: 5_000,
  idleTimeoutMs: 5_000,
};

function to(wire: Wire, path: string): HttpRequest {
  return { ...request, url: wire.origin + path };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const half = Buffer.from("half of a body");

function behave(path: string, body: Uint8Array = new Uint8Array()): SimAnswer {
  switch (path) {
    case "/silent":
      return "silent";
    case "/reset":
      return "reset";
    case "/redirect":
      return { status: 302, headers: { location: "/echo" } };
    case "/breaks":
      return { status: 200, body: half, stop: { afterBytes: 5, how: "broken" } };
    case "/stalls":
      return { status: 200, body: half, stop: { afterBytes: 5, how: "silent" } };
    default:
      return { status: 201, headers: { "x-one": "1", "x-two": ["1", "2"] }, body };
  }
}

async function simulatedWire(): Promise<Wire> {
  const clock = new SimClock();
  const upstream = new JournalingUpstream(({ url, body }) => behave(new URL(url).pathname, body));
  const transport = new SimNetwork({
    clock,
    random: new Random(1),
    counts: new FaultCounts(),
    faults: noNetworkFaults,
    upstreams: new Map([["http://upstream", upstream.receive]]),
  });
  return {
    transport,
    origin: "http://upstream",
    deadOrigin: "http://nobody",
    received: () => upstream.journal.map(({ url }) => new URL(url).pathname),
    live: (work) => clock.run(work),
    end: async () => undefined,
  };
}

async function realWire(): Promise<Wire> {
  const paths: string[] = [];
  const server = createServer((incoming, outgoing) => {
    paths.push(incoming.url ?? "");
    void act(incoming, outgoing);
  });
  const [port, deadPort] = [await listen(server), await unusedPort()];
  const transport: ClosableTransport = undiciTransport({ addresses: "not_metadata" });
  return {
    transport,
    origin: `http://127.0.0.1:${port}`,
    deadOrigin: `http://127.0.0.1:${deadPort}`,
    received: () => paths,
    live: (work) => work,
    end: async () => {
      await transport.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function act(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece);
  const answer = behave(incoming.url ?? "", Buffer.concat(pieces));
  if (answer === "silent") return;
  if (answer === "reset") return void incoming.socket.destroy();
  const { status, headers = {}, body = new Uint8Array(), stop } = answer;
  for (const [name, value] of Object.entries(headers))
    outgoing.setHeader(name, typeof value === "string" ? value : [...value]);
  outgoing.writeHead(status, { "content-length": body.length });
  if (stop === undefined) return void outgoing.end(body);
  outgoing.write(body.subarray(0, stop.afterBytes), () => {
    if (stop.how === "broken") setTimeout(() => incoming.socket.destroy(), 20);
  });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}
