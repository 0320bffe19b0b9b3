/** Our request is one that a strict double of the Kubernetes API takes; that is no evidence of how a cluster behaves. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { KubernetesDouble } from "../../../fixtures/kubernetes-api.ts";
import { type Probing, probing } from "../../../fixtures/probing.ts";

let api: KubernetesDouble;
let probe: Probing;
beforeAll(async () => {
  api = await KubernetesDouble.start();
  api.add("agents", "support-bot", { app: "agent" });
  probe = probing({ TOKEN: api.token, OTHER: "another token" });
});
afterAll(async () => {
  await probe.close();
  await api.close();
});

const ask = (object: string, condition: string, env = "TOKEN") =>
  probe.ask({ kind: "kubernetes", api_url: api.url, token: { env }, object, condition });

test("a pod, its condition, and who may ask", async () => {
  const pod = "/api/v1/namespaces/agents/pods/support-bot";
  expect(await ask(pod, "ContainersReady")).toMatchObject({ verdict: "pass" });
  expect(await ask(pod, "holdfast.dev/validated")).toMatchObject({ verdict: "fail" });
  expect(await ask(pod.replace("support", "other"), "Ready")).toMatchObject({ verdict: "fail" });
  expect(await ask(pod, "ContainersReady", "OTHER")).toMatchObject({ verdict: "inconclusive" });
  api.busy = 1;
  expect(await ask(pod, "ContainersReady")).toMatchObject({ verdict: "inconclusive" });
});
