/**
 * What the double of the API is asked in `test/unit/adapters/kubernetes-readiness.test.ts`, on a real cluster: `TEST_KUBECONFIG` names it,
 * `TEST_IMAGE` an image that its nodes can run and that stays up. A namespace of its own is made and removed. Needs kubectl.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { undiciTransport } from "../../src/adapters/http/index.ts";
import {
  agentLabel,
  convergeReadiness,
  KubernetesApi,
  kubernetesManifests,
  readinessCondition,
} from "../../src/adapters/kubernetes/index.ts";

const { TEST_KUBECONFIG: kubeconfig = "", TEST_IMAGE: image = "" } = process.env;
const namespace = `holdfast-test-${process.pid}`;
const digest = `sha256:${"a".repeat(64)}`;
const http = undiciTransport({ addresses: "not_metadata" });
let proxy: ChildProcess;
let url = "";

beforeAll(async () => {
  if (kubeconfig === "" || image === "")
    throw new Error(
      "set TEST_KUBECONFIG to a cluster's kubeconfig, and TEST_IMAGE to an image it can run",
    );
  proxy = spawn("kubectl", ["--kubeconfig", kubeconfig, "proxy", "--port", "0"]);
  url = await new Promise<string>((found, failed) => {
    proxy.once("error", failed);
    proxy.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) found(`http://127.0.0.1:${port}`);
    });
  });
  kubectl(["create", "namespace", namespace]);
});

afterAll(async () => {
  if (url !== "") {
    kubectl(["delete", "namespace", namespace, "--wait=false"]);
    for (const kind of ["validatingadmissionpolicybinding", "validatingadmissionpolicy"])
      kubectl(["delete", kind, "holdfast-agents", "--ignore-not-found"]);
  }
  proxy?.kill();
  await http.close();
});

function kubectl(args: readonly string[], input?: string): string {
  const all = ["--kubeconfig", kubeconfig, ...args];
  return execFileSync("kubectl", all, { encoding: "utf8", stdio: "pipe", input });
}

function pod(name: string, gates: boolean): string {
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: { name, namespace, labels: { [agentLabel]: "true" } },
    spec: {
      containers: [{ name: "agent", image }],
      ...(gates ? { readinessGates: [{ conditionType: readinessCondition }] } : {}),
    },
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

function isReady(name: string): boolean {
  const told = JSON.parse(kubectl(["get", "pod", name, "-n", namespace, "-o", "json"]));
  const conditions: readonly Condition[] = told.status.conditions ?? [];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

test("a pod of an agent is ready only while its site is validated", async () => {
  kubectl(["apply", "-f", "-"], pod("bot", true));
  const api = new KubernetesApi(http, { url });
  const parts = {
    ...{ api, namespace, clock: systemClock, everyMs: 1_000 },
    ...{ log: { write: () => undefined }, state: () => ({ validated: false, because: "test" }) },
  };
  const converge = (validated: boolean) => convergeReadiness(parts, { validated, because: "test" });
  await expect
    .poll(() => kubectl(["get", "pod", "bot", "-n", namespace]), { timeout: 120_000 })
    .toContain("Running");
  expect(isReady("bot")).toBe(false);
  expect(await converge(true)).toMatchObject({ ok: true, changed: 1 });
  await expect.poll(() => isReady("bot"), { timeout: 30_000 }).toBe(true);
  expect(await converge(false)).toMatchObject({ ok: true, changed: 1 });
  await expect.poll(() => isReady("bot"), { timeout: 30_000 }).toBe(false);
});

test("the admission policy refuses a pod of an agent without its gateway", async () => {
  kubectl(["apply", "-f", "-"], kubernetesManifests({ namespace, gatewayImages: [digest] }));
  const refused = (): string => {
    try {
      return kubectl(["apply", "-f", "-", "--dry-run=server"], pod("alone", true));
    } catch (thrown) {
      return String((thrown as { readonly stderr: string }).stderr);
    }
  };
  // A policy takes effect a moment after it was stored.
  await expect.poll(refused, { timeout: 60_000 }).toContain("only beside its gateway");
});
