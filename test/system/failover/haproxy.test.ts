/**
 * A real HAProxy with the configuration we generate (AG-403 4.2, 4.3): it sends traffic to a site only while that site's gate says so
 * in its own name, and to no site when no gate says anything.
 */
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  type AgentState,
  agentLine,
  type HaproxySite,
  haproxyConfiguration,
} from "../../../src/adapters/haproxy/index.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { type GateMode, GateStandIn } from "../../fixtures/gate-stand-in.ts";
import { HaproxyServer, haproxyComplaints } from "../../fixtures/haproxy.ts";

let [fra, dub]: [GateStandIn, GateStandIn] = [] as never;
beforeAll(async () => {
  fra = await GateStandIn.start("fra");
  dub = await GateStandIn.start("dub");
});
afterAll(() => Promise.all([fra.remove(), dub.remove()]));

let proxy: HaproxyServer | undefined;
let port = 0;
afterEach(async () => {
  await proxy?.remove();
  proxy = undefined;
  for (const site of [fra, dub]) {
    await site.kill();
    await site.revive();
    Object.assign(site, { gate: "blocked", agent: "down", reached: 0 });
  }
});

const siteOf = (site: GateStandIn): HaproxySite => ({
  ...{ id: site.site, server: site.server, gate: site.gateAddress, agent: site.agentAddress },
});

async function start(): Promise<HaproxyServer> {
  port = await freePort();
  const bind = `127.0.0.1:${port}`;
  const text = haproxyConfiguration([{ name: "agents", bind, sites: [fra, dub].map(siteOf) }]);
  if (!text.ok) throw new Error(text.error);
  proxy = await HaproxyServer.start(text.value, port);
  return proxy;
}

/** Which site answers through the proxy; `closed` when none does. */
function answeredBy(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("?"));
    const settle = (by: string): void => {
      socket.destroy();
      resolve(by);
    };
    socket.setTimeout(3_000, () => settle("silence"));
    socket.on("data", (bytes) => settle(bytes.toString().trim()));
    socket.on("error", () => settle("closed")).on("close", () => settle("closed"));
  });
}

async function becomes(expected: string): Promise<void> {
  await expect.poll(answeredBy, { timeout: 10_000, interval: 30 }).toBe(expected);
}

/** Long enough for every check to have been made several times. */
async function staysClosed(): Promise<void> {
  for (const end = performance.now() + 1_200; performance.now() < end; )
    expect(await answeredBy()).toBe("closed");
}

test("an agent line is one that HAProxy reads: the space before # is there, whatever the reason", () => {
  expect(agentLine({ serves: true })).toBe("ready up 100%\n");
  const down = (reason: string): AgentState => ({ serves: false, reason });
  expect(agentLine(down("audit"))).toBe("maint down #audit\n");
  expect(agentLine(down(`up\nready up\u00e4${"x".repeat(200)}`))).toMatch(
    /^maint down #up ready up x{60,80}\n$/,
  );
});

test("it starts closed with the gates dead, and nothing reaches a gateway", async () => {
  for (const site of [fra, dub]) await site.kill();
  await start();
  await staysClosed();
  expect([fra.reached, dub.reached]).toEqual([0, 0]);
});

test("it starts closed beside gates that are blocked, opens with the gate, and closes with it", async () => {
  await start();
  await staysClosed();
  expect([fra.reached, dub.reached]).toEqual([0, 0]);
  Object.assign(dub, { gate: "ready", agent: "up" });
  await becomes("dub");
  // The site that comes first in the order of failover.
  Object.assign(fra, { gate: "ready", agent: "up" });
  await becomes("fra");
  Object.assign(fra, { gate: "blocked", agent: "down" });
  await becomes("dub");
  Object.assign(dub, { gate: "blocked", agent: "down" });
  await becomes("closed");
  await expect.poll(() => [fra.connected, dub.connected]).toEqual([0, 0]);
});

test("a session that is open when the gate closes is ended", async () => {
  Object.assign(fra, { gate: "ready", agent: "up" });
  await start();
  await becomes("fra");
  const socket = connect(port, "127.0.0.1");
  const ended = new Promise((done) => socket.on("close", done).on("error", () => undefined));
  await new Promise((first) => {
    socket.once("data", first).write("?");
  });
  fra.gate = "blocked";
  await ended;
  await becomes("closed");
});

const broken: readonly (readonly [string, (site: GateStandIn) => void | Promise<void>])[] = [
  ["is killed", (site) => site.kill()],
  ...(["silent", "garbage", "other_site", "nameless", "blocked"] satisfies GateMode[]).map(
    (gate) =>
      [
        `is ${gate}, its agent still up`,
        (site: GateStandIn) => void Object.assign(site, { gate }),
      ] as const,
  ),
  ["is ready, its agent down", (site) => void Object.assign(site, { agent: "down" })],
];

for (const [what, breakIt] of broken)
  test(`a gate that ${what}: closed while it runs, and closed after a restart of HAProxy`, async () => {
    Object.assign(fra, { gate: "ready", agent: "up" });
    const first = await start();
    await becomes("fra");
    await breakIt(fra);
    await becomes("closed");
    await first.remove();
    fra.reached = 0;
    await start();
    await staysClosed();
    expect(fra.reached).toBe(0);
  });

test("HAProxy has nothing against what is generated, with and without Patroni", () => {
  const patroni = {
    id: "fra",
    server: "10.1.0.1:5432",
    gate: "10.1.0.1:9090",
    agent: "10.1.0.1:9091",
  };
  const text = haproxyConfiguration([
    { name: "agents", bind: ":8080", sites: [siteOf(fra), siteOf(dub)] },
    {
      name: "database",
      bind: "127.0.0.1:5000",
      sites: [{ ...patroni, patroni: "[2001:db8::1]:8008" }],
    },
  ]);
  expect(text.ok ? haproxyComplaints(text.value) : text.error).toBe("");
});

test("an address or a name that HAProxy would read as something else is refused", () => {
  const good = { id: "fra", server: "10.1.0.1:80", gate: "10.1.0.1:90", agent: "10.1.0.1:91" };
  const refusals = [
    { ...good, server: "10.1.0.1" },
    { ...good, gate: "10.1.0.1:90 disabled" },
    { ...good, id: "fra\nfrontend open" },
  ].map((site) => haproxyConfiguration([{ name: "agents", bind: ":80", sites: [site] }]));
  expect(refusals.map((each) => (each.ok ? "ok" : each.error))).toEqual([
    'the server of site fra is "10.1.0.1", and must be host:port',
    'the gate of site fra is "10.1.0.1:90 disabled", and must be host:port',
    '"fra\\nfrontend open" is no name of a site',
  ]);
});
