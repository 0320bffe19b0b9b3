/**
 * The linter is right about a real HAProxy: with a gate that is frozen, a configuration without a trap lets no connection through,
 * and those that it names let some.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lintConfig } from "../../../src/adapters/config-lint/index.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { GateStandIn } from "../../fixtures/gate-stand-in.ts";
import { HaproxyServer, haproxyComplaints } from "../../fixtures/haproxy.ts";

let site: GateStandIn;
let agentPort = 0;
beforeAll(async () => {
  site = await GateStandIn.start("fra");
  site.gate = "silent";
  agentPort = await freePort();
});
afterAll(() => site.remove());

const example = readFileSync("examples/failover/haproxy.cfg", "utf8");
const withoutStart = example.replace(" disabled", "");

/** The gate takes questions and never answers, from before the start: whoever gets through, nobody let in. */
const cases: readonly (readonly [string, string, string | undefined])[] = [
  ["the example", example, undefined],
  ["servers that start up", withoutStart, "haproxy-starts-up"],
  ["an agent alone", withoutStart.replace(/7080 check$/m, "7080"), "haproxy-agent-alone"],
  [
    "no check at all",
    withoutStart.replace(/7080 check$/m, "7080").replace("agent-check agent-port 7091", ""),
    "haproxy-no-check",
  ],
];

test.each(cases)("a cold start with the gate frozen: %s", async (_, text, trap) => {
  const errors = lintConfig("haproxy.cfg", text, "haproxy").filter(
    ({ severity }) => severity === "error",
  );
  if (trap === undefined) expect(errors).toEqual([]);
  else expect(errors.map(({ code }) => code)).toContain(trap);
  site.reached = 0;
  const port = await freePort();
  const proxy = await HaproxyServer.start(grounded(text, port), port);
  for (let attempt = 0; attempt < 50; attempt++) await knock(port);
  // What was let in may still be on its way to the server.
  if (trap !== undefined)
    await expect.poll(() => site.reached, { timeout: 30_000 }).toBeGreaterThan(0);
  await wait(200);
  await proxy.remove();
  if (trap === undefined) expect(site.reached).toBe(0);
});

test("HAProxy itself accepts the example", () => {
  expect(haproxyComplaints(example)).toBe("");
});

/** The same on this machine: connections are counted, so they are not looked into. */
function grounded(text: string, port: number): string {
  const [, gatePort] = site.gateAddress.split(":");
  return (
    text
      .replace("mode http", "mode tcp")
      // The first check is still open when the last connection has been tried, however slow this machine is.
      .replace("inter 500ms", "inter 60s")
      .replace("bind :7080", `bind 127.0.0.1:${port}`)
      .replace("192.0.2.10:7080", site.server)
      .replace("7090", gatePort ?? "")
      .replace("7091", String(agentPort))
  );
}

function knock(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.on("connect", () => setTimeout(done, 5)).on("error", done);
  });
}
