/** What stands before a site opens and closes with its guard (AG-403 4.2, 4.3): gate, agent check, gRPC health, the name in DNS. */
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkHealth } from "../../../src/adapters/grpc/index.ts";
import { agentLabel } from "../../../src/adapters/kubernetes/index.ts";
import { BindServer, governedKey } from "../../fixtures/bind.ts";
import { dnsQuestions } from "../../fixtures/dns-questions.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { KubernetesDouble } from "../../fixtures/kubernetes-api.ts";
import { TwoSites } from "../../fixtures/two-sites.ts";

const name = "agents.lab.example";
let bind: BindServer;
let cluster: KubernetesDouble;
let world: TwoSites;
let [agentPort, healthPort] = [0, 0];
beforeAll(async () => {
  bind = await BindServer.start([], `name ${name}. A AAAA TXT`);
  cluster = await KubernetesDouble.start();
  cluster.add("agents", "bot", { [agentLabel]: "true" });
  [agentPort, healthPort] = [await freePort(), await freePort()];
  const key = Buffer.from(governedKey.secret).toString("base64");
  const dns = `{ server: "127.0.0.1:${bind.port}", zone: lab.example, name: ${name}, key_name: ${governedKey.name}, key: "${key}", addresses: [10.1.0.1], sinkhole: [10.0.0.53] }`;
  world = await TwoSites.prepare(mkdtempSync(join(tmpdir(), "holdfast-doors-")), {
    extra: (site) =>
      site === "fra"
        ? `  agent_check: 127.0.0.1:${agentPort}\n  grpc_health: 127.0.0.1:${healthPort}\n  dns: ${dns}\n  kubernetes: { api_url: "${cluster.url}", namespace: agents, token_file: ../token }\n`
        : "",
  });
  writeFileSync(join(world.folder, "token"), cluster.token);
  await world.startGuard("fra");
});
afterAll(async () => {
  await world.close();
  await bind.remove();
  await cluster.close();
  rmSync(world.folder, { recursive: true, force: true });
});

async function gate(method: string, path: string): Promise<number> {
  return (await fetch(world.guardUrl("fra") + path, { method })).status;
}

function agent(): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(agentPort, "127.0.0.1").setEncoding("utf8");
    socket.on("data", (text) => {
      said += text;
    });
    socket.on("end", () => resolve(said)).on("error", ({ message }) => resolve(message));
  });
}

async function health(): Promise<string> {
  const { signal } = new AbortController();
  const asked = { address: `127.0.0.1:${healthPort}`, service: "holdfast", timeoutMs: 2_000 };
  const answer = await checkHealth({ ...asked, signal, metadata: {} });
  return answer.ok ? answer.value.status : answer.error.why;
}

async function resolved(): Promise<string> {
  const socket = createSocket("udp4");
  try {
    return (await dnsQuestions(socket, bind.port)(name)).join();
  } finally {
    socket.close();
  }
}

const doors = async (): Promise<unknown> => ({
  gate: await gate("GET", "/gate/fra"),
  // As Envoy asks, with the request's own method and path.
  authorized: await gate("POST", "/gate/fra/mcp/stream?cursor=1"),
  ...{ agent: await agent(), health: await health(), resolved: await resolved() },
  // Of the double of the API, which is no evidence of what a cluster does.
  podReady: cluster.isReady("agents", "bot"),
});

const open = {
  gate: 200,
  authorized: 200,
  agent: "ready up 100%\n",
  health: "SERVING",
  podReady: true,
};
const closed = {
  gate: 503,
  authorized: 503,
  health: "NOT_SERVING",
  resolved: "10.0.0.53",
  podReady: false,
};

test("all open with the site, close with it, and name no other site", async () => {
  await world.reaches("fra", "ready");
  await expect.poll(doors, { timeout: 10_000 }).toEqual({ ...open, resolved: "10.1.0.1" });
  expect([await gate("GET", "/gate/dub"), await gate("POST", "/gate/dub/mcp")]).toEqual([503, 503]);
  world.set("fra", "mandate-gateway", "fail");
  await expect.poll(doors, { timeout: 30_000 }).toMatchObject(closed);
  expect(await agent()).toMatch(/^maint down #(?:blocked|revoked|validating|fenced|remediating)/);
  world.set("fra", "mandate-gateway", "fine");
  await expect.poll(doors, { timeout: 30_000 }).toEqual({ ...open, resolved: "10.1.0.1" });
});

test("a guard that is told to stop leaves the name at the sinkhole", async () => {
  await expect.poll(resolved, { timeout: 30_000 }).toBe("10.1.0.1");
  world.guard("fra").kill("SIGTERM");
  await world.guard("fra").exited;
  expect(await resolved()).toBe("10.0.0.53");
  expect(cluster.isReady("agents", "bot")).toBe(false);
  expect(await agent()).toContain("ECONNREFUSED");
});
