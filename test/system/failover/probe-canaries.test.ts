/** The canaries that go through the gateway, against the real command: gateway, control plane and log. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuditCanary, KillSwitchCanary, NegativeCanary } from "../../../src/failover/index.ts";
import { closedAddress, type Probing, probing, webServer } from "../../fixtures/probing.ts";
import { temporaryFolder } from "../../fixtures/processes.ts";
import { ask, type Process, supportBot, until, type World, world } from "../product/harness.ts";

const adminToken = "guard-token-0123456789abcdef0123456789";
/** Without a manifest, a gateway is at this one. */
const site = "standalone";
let here: World;
let gateway: Process;
let probe: Probing;

beforeAll(async () => {
  here = await world({
    config: `approvals:
  url: http://127.0.0.1:1
  kill_groups: [guards]
  approvers: [{ id: guard, groups: [guards], token: ${adminToken} }]`,
  });
  gateway = (await here.both()).gateway;
  probe = probing({ CANARY: supportBot, ADMIN: adminToken, WRONG: "another-token" });
});
afterAll(async () => {
  gateway.child.kill("SIGCONT");
  await probe.close();
  await here.close();
});

/** Frozen from outside while `work` runs. */
async function frozen<T>(work: () => Promise<T>): Promise<T> {
  gateway.child.kill("SIGSTOP");
  try {
    return await work();
  } finally {
    gateway.child.kill("SIGCONT");
  }
}

const heavy = { body: { weight: 101 } };
const negative = (more: Partial<NegativeCanary> = {}): NegativeCanary => ({
  ...{ kind: "negative_canary", gateway_url: here.gatewayUrl, token: { env: "CANARY" } },
  ...{ agent: "support-bot", tool: "desk:POST /broken", args: heavy, rule: "desk/not-heavy" },
  ...more,
});

test("negative: denied by the rule, at this site, with the nonce; nothing reached the tool", async () => {
  const finding = await probe.ask(negative(), { site, nonce: "n-17" });
  expect(finding).toMatchObject({
    ...{ verdict: "pass", boundBy: "echo", site, nonce: "n-17" },
    observed: { outcome: "deny", rules: ["desk/not-heavy"] },
  });
  expect(here.desk.seen).toEqual([]);
});

test.each<[string, () => Partial<NegativeCanary>, string, string]>([
  ["by another rule", () => ({ rule: "desk/other" }), "fail", "expected desk/other"],
  ["allowed", () => ({ args: { body: { weight: 1 } } }), "fail", "and it is allow"],
  ["another agent", () => ({ agent: "report-bot" }), "inconclusive", "(status 403)"],
  ["no such token", () => ({ token: { env: "WRONG" } }), "inconclusive", "(status 401)"],
])("negative: %s", async (_name, more, verdict, because) => {
  const finding = await probe.ask(negative(more()), { site });
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe(verdict);
});

test("negative: an answer of another site is a clear no, silence and garbage are none", async () => {
  const other = await probe.ask(negative(), { site: "dub" });
  expect(other).toMatchObject({ verdict: "fail", site });
  const silent = await frozen(() => probe.ask(negative(), { site, timeoutMs: 600 }));
  expect(silent).toMatchObject({ verdict: "inconclusive" });
  expect(silent.because).toContain("did not answer within 600 ms");
  const answers = [`{"decision":false}`, `{"decision":false,"context":{"outcome":"deny"}}`, "{"];
  for (const body of answers) {
    const garbage = await webServer((_request, response) => void response.end(body));
    const finding = await probe.ask(negative({ gateway_url: garbage.url }), { site });
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    await garbage.close();
  }
});

const kill = (more: Partial<KillSwitchCanary> = {}): KillSwitchCanary => ({
  ...{ kind: "kill_switch_canary", gateway_url: here.gatewayUrl, admin_url: here.controlUrl },
  ...{ token: { env: "CANARY" }, admin_token: { env: "ADMIN" }, agent: "support-bot" },
  ...{ tool: "desk:POST /items", args: { body: { weight: 1 } } },
  ...more,
});
const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
const switches = async (): Promise<unknown> =>
  (await ask(`${here.controlUrl}/v1/kill`, { headers })).body["switches"];

test("kill switch: in force at the gateway, and lifted again", async () => {
  const finding = await probe.ask(kill(), { site });
  expect(finding.because).toContain("support-bot is stopped");
  expect(finding).toMatchObject({ verdict: "pass", boundBy: "echo", site });
  expect(await switches()).toEqual([]);
  expect(await probe.ask(kill(), { site: "dub" })).toMatchObject({ verdict: "fail", site });
  expect(await switches()).toEqual([]);
  expect((await here.http("POST", "/http/desk/items", { weight: 1 })).status).toBe(200);
});

test("kill switch: a gateway that does not obey fails, and nothing is left behind", async () => {
  const deaf = await webServer((request, response) => {
    const context = { outcome: "allow", call_id: "c-1" };
    response.setHeader("x-request-id", request.headers["x-request-id"] ?? "");
    response.end(JSON.stringify({ decision: true, context }));
  });
  const finding = await probe.ask(kill({ gateway_url: deaf.url }), { site, timeoutMs: 4_000 });
  expect(finding.because).toContain("was not stopped: the last answer is allow");
  expect(finding.verdict).toBe("fail");
  expect(await switches()).toEqual([]);
  await deaf.close();
});

test("kill switch: told to stop in the middle, it lets go all the same", async () => {
  const abort = new AbortController();
  let thrown = false;
  const slow = await webServer((_request, response) => {
    const context = { outcome: "allow", call_id: "c-1" };
    void switches().then((all) => {
      if (Array.isArray(all) && all.length > 0) {
        thrown = true;
        abort.abort();
      }
      response.end(JSON.stringify({ decision: true, context }));
    });
  });
  const finding = await probe.ask(kill({ gateway_url: slow.url }), { site }, abort.signal);
  expect(thrown).toBe(true);
  expect(finding).toMatchObject({ verdict: "inconclusive" });
  await until("a lifted switch", async () =>
    JSON.stringify(await switches()) === "[]" ? true : undefined,
  );
  await slow.close();
});

test("kill switch: what a guard that died left behind is lifted by the next one; others' switches stay", async () => {
  const throwOne = (agent: string, reason: string) =>
    ask(`${here.controlUrl}/v1/kill`, {
      ...{ method: "POST", headers, body: JSON.stringify({ scope: { agent }, reason }) },
    });
  await throwOne(
    "support-bot",
    "Holdfast tries the kill switch at standalone with support-bot; it lets go at once. old",
  );
  await throwOne(
    "report-bot",
    "Holdfast tries the kill switch at dub with support-bot; it lets go at once. n",
  );
  await until("a gateway that has seen it lifted", async () => {
    const finding = await probe.ask(kill(), { site });
    return finding.verdict === "pass" ? true : undefined;
  });
  expect(await switches()).toMatchObject([{ scope: { agent: "report-bot" } }]);
});

test("kill switch: who may not stop, or cannot be reached, says nothing", async () => {
  const none = await probe.ask(kill({ admin_token: { env: "WRONG" } }), { site });
  expect(none).toMatchObject({ verdict: "inconclusive" });
  const gone = await probe.ask(kill({ admin_url: `http://${await closedAddress()}` }), { site });
  expect(gone).toMatchObject({ verdict: "inconclusive" });
  const silent = await frozen(() => probe.ask(kill(), { site, timeoutMs: 800 }));
  expect(silent).toMatchObject({ verdict: "inconclusive" });
});

const audit = (repository: string, more: Partial<AuditCanary> = {}): AuditCanary => ({
  ...{ kind: "audit_canary", gateway_url: here.gatewayUrl, token: { env: "CANARY" } },
  ...{ agent: "support-bot", tool: "desk:GET /items", repository },
  log_key: readFileSync(here.path("data/log/log.vkey"), "utf8").trim(),
  ...more,
});

test("audit: the nonce is read back from the folder, and over HTTP, proven in the signed tree", async () => {
  const log = here.path("data/log");
  const finding = await probe.ask(audit(log), { site });
  expect(finding.because).toContain("is in the repository, proven in its tree");
  expect(finding).toMatchObject({ verdict: "pass", boundBy: "echo", site });
  const served = await webServer((request, response) => {
    const path = join(log, request.url ?? "");
    if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  expect(await probe.ask(audit(served.url), { site })).toMatchObject({ verdict: "pass" });
  await served.close();
});

test("audit: a repository that stands still fails, and says how far it is", async () => {
  const folder = await temporaryFolder();
  cpSync(here.path("data/log"), folder.path, { recursive: true });
  const finding = await probe.ask(audit(folder.path), { site, timeoutMs: 4_000 });
  expect(finding.because).toMatch(
    /entry \d+ did not reach the repository within 4000 ms: its tree has \d+ entries/,
  );
  expect(finding.verdict).toBe("fail");
  // A checkpoint without the entries under it is no repository either.
  rmSync(join(folder.path, "tile/entries"), { recursive: true });
  await until("a newer checkpoint", async () => {
    cpSync(here.path("data/log/checkpoint"), join(folder.path, "checkpoint"));
    const again = await probe.ask(audit(folder.path), { site, timeoutMs: 3_000 });
    return again.verdict === "fail" ? true : undefined;
  });
  await folder.remove();
});

test("audit: another key, another log, a changed entry, no repository", async () => {
  const folder = await temporaryFolder();
  const otherKey = "other+c0e4a2b1+AWJhZA==";
  expect(await probe.ask(audit(folder.path, { log_key: otherKey }), { site })).toMatchObject({
    verdict: "inconclusive",
  });
  // Recorded here, and asked for another site: a gateway behind a shared address.
  const elsewhere = await probe.ask(audit(here.path("data/log")), { site: "dub" });
  expect(elsewhere).toMatchObject({ verdict: "fail", site });
  const empty = await probe.ask(audit(folder.path), { site, timeoutMs: 600 });
  expect(empty).toMatchObject({ verdict: "inconclusive" });
  // The checkpoint of the gateway over other entries.
  const served = await webServer((request, response) => {
    const path = join(here.path("data/log"), request.url ?? "");
    if (!existsSync(path)) return void response.writeHead(404).end();
    const bytes = readFileSync(path);
    if (request.url?.startsWith("/tile/entries")) bytes[bytes.length - 3] = 33;
    response.end(bytes);
  });
  const changed = await probe.ask(audit(served.url), { site });
  expect(changed.because).toContain("is another one");
  expect(changed.verdict).toBe("fail");
  writeFileSync(join(folder.path, "checkpoint"), "garbage\n");
  expect(await probe.ask(audit(folder.path), { site })).toMatchObject({ verdict: "fail" });
  await served.close();
  await folder.remove();
});

test("audit: the whole log verifies with everything the canaries left in it", async () => {
  await gateway.stop();
  expect(here.audit("verify").code).toBe(0);
});
