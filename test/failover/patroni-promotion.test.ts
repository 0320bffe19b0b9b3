/**
 * Patroni answers 200 at `/primary` as soon as it holds the leader key, which is before the promotion; the HAProxy configuration that is
 * generated waits until the database is out of recovery.
 */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { haproxyConfiguration } from "../../src/adapters/haproxy/index.ts";
import { freePort } from "../fixtures/free-port.ts";
import { GateStandIn } from "../fixtures/gate-stand-in.ts";
import { HaproxyServer } from "../fixtures/haproxy.ts";
import { PatroniCluster, type PatroniNode, until } from "../fixtures/patroni.ts";

test("while a hook holds the promotion up, /primary says 200 and HAProxy lets nobody through", async () => {
  const gates = await Promise.all(["fra", "dub"].map((site) => GateStandIn.start(site)));
  for (const gate of gates) Object.assign(gate, { gate: "ready", agent: "up" });
  // The hook of a guard that takes its time; the gates are open all along, so that only Patroni's own word counts here.
  const cluster = await PatroniCluster.start({
    ...{ names: ["fra", "dub"], postgresql: () => ({ pre_promote: "/bin/sleep 8" }) },
  });
  const port = await freePort();
  const sites = gates.map(({ site, gateAddress, agentAddress }) => {
    const { postgres, api } = cluster.node(site).ports;
    const local = (at: number): string => `127.0.0.1:${at}`;
    const guard = { id: site, gate: gateAddress, agent: agentAddress };
    return { ...guard, server: local(postgres), patroni: local(api) };
  });
  const text = haproxyConfiguration([{ name: "database", bind: `127.0.0.1:${port}`, sites }]);
  const haproxy = await HaproxyServer.start(text.ok ? text.value : "", port);
  try {
    await until("the database through HAProxy", () => answers(port));
    const [fra, dub] = [cluster.node("fra"), cluster.node("dub")];
    await fra.kill();
    let [lied, through] = [0, 0];
    await until("a promotion", async () => {
      const saysPrimary = (await dub.rest("/primary")).status === 200;
      const isThrough = await answers(port);
      // Asked last: what was seen before it was seen of a standby.
      const inRecovery = isInRecovery(dub);
      if (inRecovery && saysPrimary) lied += 1;
      if (inRecovery && isThrough) through += 1;
      return !inRecovery;
    });
    expect(lied).toBeGreaterThan(10);
    expect(through).toBe(0);
    await until("the database through HAProxy again", () => answers(port));
  } finally {
    await haproxy.remove();
    await cluster.remove();
    for (const gate of gates) await gate.remove();
  }
});

function isInRecovery(node: PatroniNode): boolean {
  return node.query("SELECT pg_is_in_recovery()") === "t";
}

/** Whether a PostgreSQL answers there: it says N to a request for TLS. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])),
    );
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.on("data", () => settle(true));
    socket.on("error", () => settle(false)).on("close", () => settle(false));
  });
}
