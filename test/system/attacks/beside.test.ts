/**
 * Attacks on the running product, each beside a well-behaved agent whose every call must succeed: the attack is refused
 * in words or cut, the gateway lives, and nobody else notices.
 */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Agent } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFilesMax } from "../../../src/adapters/http/open-files.ts";
import {
  type HostileUpstream,
  hostileTools,
  startHostileUpstream,
} from "../../fixtures/hostile-upstream.ts";
import { type Listening, start, temporaryFolder } from "../../fixtures/processes.ts";
import { readiness, until } from "../../fixtures/site.ts";

const command = fileURLToPath(new URL("../../../bin/holdfast.mjs", import.meta.url));
const tokens = { eve: "eve-token-0123456789abcdef", ada: "ada-token-0123456789abcdef" };
const connectionsMax = 2_000;
const made: { gateway?: Listening; upstream?: HostileUpstream; end?: () => Promise<void> } = {};
const gateway = (): Listening => made.gateway as Listening;
const upstream = (): HostileUpstream => made.upstream as HostileUpstream;

beforeAll(async () => {
  const folder = await temporaryFolder();
  made.upstream = await startHostileUpstream();
  const config = {
    listen: "127.0.0.1:0",
    control: { listen: "127.0.0.1:0" },
    data: "./data",
    policies: "./policies",
    limits: { connections_max: connectionsMax },
    upstreams: {
      // Each of its answers is to be seen, so no breaker spares the gateway the next.
      evil: {
        mcp: { url: `${made.upstream.url}/mcp` },
        breaker: { failures_in_row: 1_000_000, calls_min: 1_000_000 },
      },
      calm: { http: { base_url: made.upstream.url, routes: [{ method: "POST", path: "/items" }] } },
    },
    development_tokens: Object.entries(tokens).map(([agent, token]) => ({ token, agent })),
  };
  const write = { effect: "write", risk: "high" };
  const ids = [...hostileTools.map((name) => `evil:${name}`), "calm:POST /items"];
  const policy = {
    policy: "test",
    tools: Object.fromEntries(ids.map((id) => [id, write])),
    rules: [{ id: "all", match: { tools: ids }, outcome: "allow" }],
  };
  const path = join(folder.path, "holdfast.yaml");
  await mkdir(join(folder.path, "policies"));
  await writeFile(path, JSON.stringify(config));
  await writeFile(join(folder.path, "policies/test.yaml"), JSON.stringify(policy));
  const control = await start({ args: [command, "control", "--config", path] });
  made.gateway = await startQuiet(path);
  await until(async () => (await readiness(gateway())) === 200);
  made.end = async () => {
    upstream().close();
    for (const one of [control, gateway()]) one.kill("SIGKILL");
    await Promise.all([control.exited, gateway().exited]);
    await folder.remove();
  };
});
afterAll(() => made.end?.());

async function startQuiet(path: string): Promise<Listening> {
  return await start({ args: [command, "gateway", "--config", path] });
}

/** Runs the attack while Ada works; all her calls must succeed, and there must have been some. */
async function beside<T>(attack: () => Promise<T>): Promise<T> {
  const agent = new Agent({ connections: 1 });
  const failures: string[] = [];
  let calls = 0;
  let over = false;
  const work = (async () => {
    while (!over || calls < 3) {
      calls += 1;
      const body = JSON.stringify({ item: calls });
      const said = await agent
        .request({
          ...{ origin: gateway().url, path: "/http/calm/items", method: "POST", body },
          headers: { authorization: `Bearer ${tokens.ada}`, "content-type": "application/json" },
        })
        .then(async (answer) => `${answer.statusCode} ${await answer.body.text()}`)
        .catch((thrown: unknown) => String(thrown));
      if (said !== `200 ${body}`) failures.push(said);
      await new Promise((later) => setTimeout(later, 10));
    }
  })();
  try {
    return await attack();
  } finally {
    over = true;
    await work;
    await agent.destroy();
    expect(failures).toEqual([]);
    expect(await readiness(gateway())).toBe(200);
  }
}

const port = (): number => Number(new URL(gateway().url).port);

function open(text: string, taken: { text: string } = { text: "" }): Socket {
  const socket = connect(port(), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.on("data", (piece: Buffer) => {
    taken.text += piece.toString("latin1");
  });
  if (text !== "") socket.write(text);
  return socket;
}

/** A body of 100 MB, as fast as it goes; what the client was told. */
async function upload(headers: Readonly<Record<string, string>>): Promise<number> {
  const piece = Buffer.alloc(1 << 20, "x");
  return await new Promise((resolve, reject) => {
    const sent = httpRequest(`${gateway().url}/http/calm/items`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${tokens.eve}`,
        "content-type": "application/json",
        ...headers,
      },
    });
    sent.once("response", (response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
    });
    sent.once("error", reject);
    let left = 100;
    const more = (): void => {
      while (left-- > 0)
        if (!sent.write(piece)) {
          sent.once("drain", more);
          return;
        }
      sent.end();
    };
    more();
  });
}

test("bodies of 100 MB, announced and in chunks, are refused in words", async () => {
  await beside(async () => {
    expect(await upload({ "content-length": String(100 << 20) })).toBe(413);
    expect(await upload({ "transfer-encoding": "chunked" })).toBe(413);
  });
});

const head = `POST /http/calm/items HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${tokens.eve}\r\nContent-Type: application/json\r\n`;

test("five hundred clients whose headers or bodies never end", async () => {
  const sockets = await beside(async () => {
    const half = ["GET / HTTP/1.1\r\nHost: lo", `${head}Content-Length: 4000000\r\n\r\n{"x":"`];
    const opened = Array.from({ length: 500 }, (_, i) => open(half[i % 2] ?? ""));
    for (let i = 0; i < 20; i++) {
      for (const socket of opened) if (socket.writable) socket.write("x");
      await new Promise((later) => setTimeout(later, 50));
    }
    return opened;
  });
  for (const socket of sockets) socket.destroy();
});

test("ten thousand silent clients: a working one gets in, the silent longest are told why they go", async () => {
  const silent = 10_000;
  const files = openFilesMax() ?? silent * 2;
  expect(files, "this test opens 10,000 sockets: raise ulimit -n to 12000").toBeGreaterThan(12_000);
  const told: { text: string }[] = [];
  const sockets: Socket[] = [];
  await beside(async () => {
    for (let i = 0; i < silent; i++) {
      const taken = { text: "" };
      told.push(taken);
      sockets.push(open("", taken));
      if (i % 100 === 99) await new Promise((later) => setTimeout(later, 5));
    }
    const refused = (): number =>
      told.filter(({ text }) => /^HTTP\/1\.1 503 .*connections_max/s.test(text)).length;
    await until(() => refused() >= connectionsMax);
  });
  for (const socket of sockets) socket.destroy();
});

async function callTool(name: string, signal?: AbortSignal): Promise<string> {
  const response = await fetch(`${gateway().url}/mcp/evil`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${tokens.eve}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 7,
      method: "tools/call",
      params: { name, arguments: {} },
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  return await response.text();
}

test.each([
  ["dies", "outcome=unknown"],
  ["garbage", "outcome=unknown"],
  ["no_json", "outcome=unknown"],
  ["wrong_id", "outcome=unknown"],
  ["two_answers", "outcome=unknown"],
  ["giant_headers", "outcome=unknown"],
  ["bomb", "outcome=unknown"],
  ["endless", "outcome=unknown"],
  ["endless_event", "outcome=unknown"],
  ["deep", "outcome=unknown|has no one reading"],
  ["members", '"a":0,"a":0|has no one reading|outcome=unknown'],
  ["well", "done"],
])("an upstream that answers with %s", async (tool, said) => {
  const text = await beside(() => callTool(tool));
  expect(text.slice(0, 200_000)).toMatch(new RegExp(said));
  expect(text).not.toContain('evil"}]');
});

test("an upstream that answers twice on a stream: the second answer is nobody's", async () => {
  const text = await beside(() => callTool("twice_on_a_stream"));
  expect(text).toContain("io.holdfast/decision");
  expect(text).not.toContain('"text":"evil"');
});

test("a flood of events to a client that does not read is held back at its source", async () => {
  await beside(async () => {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 9,
      method: "tools/call",
      params: { name: "flood" },
    });
    const socket = open(
      `${head.replace("/http/calm/items", "/mcp/evil")}Accept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ).pause();
    await until(() => upstream().flooded() > 0);
    await until(async () => {
      const before = upstream().flooded();
      await new Promise((later) => setTimeout(later, 500));
      return upstream().flooded() === before;
    });
    expect(upstream().flooded()).toBeLessThan(64 << 20);
    socket.destroy();
  });
});

/** Of the process, in MB. */
function residentMb(): number {
  const status = readFileSync(`/proc/${gateway().pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

test("memory comes back: a second round of the same needs no more than the first", async () => {
  const round = async (): Promise<number> => {
    for (let i = 0; i < 2; i++)
      await Promise.all(["endless", "endless_event", "deep"].map((name) => callTool(name)));
    for (let i = 0; i < 2; i++) await upload({ "transfer-encoding": "chunked" });
    await new Promise((later) => setTimeout(later, 1_000));
    return residentMb();
  };
  const [first, second] = await beside(async () => [await round(), await round()]);
  expect(second).toBeLessThan((first ?? 0) * 1.3 + 64);
});

test("sixty calls to an upstream that hangs: the agent's own limit is reached, nobody else's", async () => {
  const giveUp = new AbortController();
  await beside(async () => {
    const held = ["hang", "head_only"].flatMap((name) =>
      Array.from({ length: 32 }, () => callTool(name, giveUp.signal).catch(() => "given up")),
    );
    await until(async () => /too_many_calls/.test(await callTool("well")));
    giveUp.abort();
    await Promise.all(held);
  });
});
