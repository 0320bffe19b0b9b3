/** The readiness gate of agents' pods against the in-repo double of the Kubernetes API, which counts as no evidence for AG-403. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { undiciTransport } from "../../../src/adapters/http/index.ts";
import {
  agentLabel,
  convergeReadiness,
  KubernetesApi,
  type ReadinessGateParts,
  readinessCondition,
  runReadinessGate,
  type SiteReadiness,
} from "../../../src/adapters/kubernetes/index.ts";
import { KubernetesDouble } from "../../fixtures/kubernetes-api.ts";

const http = undiciTransport({ addresses: "not_metadata" });
const agent = { [agentLabel]: "true" };
let cluster: KubernetesDouble;
let state: SiteReadiness;
let said: string[];
beforeEach(async () => {
  cluster = await KubernetesDouble.start();
  state = { validated: false, because: "validating" };
  said = [];
});
afterEach(() => cluster.close());

function parts(everyMs = 60_000): ReadinessGateParts {
  return {
    api: new KubernetesApi(http, { url: cluster.url, token: () => cluster.token }),
    ...{ clock: systemClock, namespace: "agents", everyMs, state: () => state },
    log: { write: (_level, event) => said.push(event) },
  };
}

const ready = { validated: true, because: "all is intact" };
const isReady = (name: string): boolean => cluster.isReady("agents", name);

test("a pod of an agent becomes ready with its site and no sooner; other pods are left alone", async () => {
  cluster.add("agents", "bot", agent);
  cluster.add("agents", "batch", {});
  expect(isReady("bot")).toBe(false);
  expect(await convergeReadiness(parts(), state)).toMatchObject({ ok: true, changed: 1 });
  expect(isReady("bot")).toBe(false);
  expect(await convergeReadiness(parts(), ready)).toMatchObject({ ok: true, changed: 1 });
  expect(isReady("bot")).toBe(true);
  expect(await convergeReadiness(parts(), ready)).toMatchObject({ ok: true, changed: 0 });
  const conditions = cluster.pod("agents", "bot")?.status.conditions ?? [];
  expect(conditions.map(({ type }) => type)).toEqual(["ContainersReady", readinessCondition]);
  expect(cluster.pod("agents", "batch")?.status.conditions).toHaveLength(1);
});

test("the status is written by its subresource", async () => {
  cluster.add("agents", "bot", agent);
  await convergeReadiness(parts(), ready);
  expect(cluster.requests.filter((each) => each.startsWith("PATCH"))).toEqual([
    "PATCH /api/v1/namespaces/agents/pods/bot/status",
  ]);
});

test("a pod that was made anew under the same name is not told what was meant for the old one", async () => {
  cluster.add("agents", "bot", agent);
  const { api } = parts();
  const listed = await api.pods("agents", `${agentLabel}=true`);
  cluster.remove("agents", "bot");
  cluster.add("agents", "bot", agent);
  const old = listed.ok ? listed.value.pods[0] : undefined;
  const uid = String((old?.["metadata"] as { uid?: string } | undefined)?.uid);
  const condition = { type: readinessCondition, status: "True" };
  const set = await api.setConditions("agents", "bot", uid, [condition]);
  expect(set.ok ? "ok" : set.error.kind).toBe("conflict");
  expect(isReady("bot")).toBe(false);
});

test("more pods than a page holds are all told", async () => {
  for (let nth = 0; nth < 1_100; nth++) cluster.add("agents", `bot-${nth}`, agent);
  expect(await convergeReadiness(parts(), ready)).toMatchObject({ ok: true, changed: 1_100 });
  expect(isReady("bot-1099")).toBe(true);
});

test("a server that refuses us or is busy is an error with its words", async () => {
  cluster.add("agents", "bot", agent);
  cluster.busy = 1;
  expect(await convergeReadiness(parts(), ready)).toMatchObject({
    ok: false,
    error: { kind: "busy", retryAfterMs: 1_000 },
  });
  const api = new KubernetesApi(http, { url: cluster.url, token: () => "another" });
  const refused = await convergeReadiness({ ...parts(), api }, ready);
  expect(refused).toMatchObject({ ok: false, error: { kind: "refused" } });
  expect(isReady("bot")).toBe(false);
});

test("while it runs: new pods are seen by the watch, a verdict that is gone is taken back, an expired watch goes on", async () => {
  cluster.add("agents", "first", agent);
  state = ready;
  const stop = new AbortController();
  const running = runReadinessGate(parts(200), stop.signal);
  await expect.poll(() => isReady("first")).toBe(true);
  cluster.add("agents", "second", agent);
  await expect.poll(() => isReady("second")).toBe(true);
  cluster.expireWatches();
  cluster.busy = 1;
  cluster.add("agents", "third", agent);
  await expect.poll(() => isReady("third"), { timeout: 10_000 }).toBe(true);
  state = { validated: false, because: "revoked: audit" };
  await expect.poll(() => ["first", "second", "third"].some(isReady)).toBe(false);
  expect(cluster.pod("agents", "first")?.status.conditions.at(-1)).toMatchObject({
    status: "False",
    reason: "NotValidated",
    message: "revoked: audit",
  });
  state = ready;
  await expect.poll(() => isReady("first")).toBe(true);
  stop.abort();
  await running;
  expect(["first", "second", "third"].some(isReady)).toBe(false);
});

test("a state that cannot be read is not validated", async () => {
  cluster.add("agents", "bot", agent);
  await convergeReadiness(parts(), ready);
  const stop = new AbortController();
  const state = (): SiteReadiness => {
    throw new Error("broken");
  };
  const running = runReadinessGate({ ...parts(50), state }, stop.signal);
  await expect.poll(() => isReady("bot")).toBe(false);
  stop.abort();
  await running;
});
