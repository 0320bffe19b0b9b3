/**
 * A control process that watches a cluster: what appears, changes and goes is in the model, also what went while the connection
 * was cut or nobody watched; a place that is too old and a token that has expired are told and got over.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import { ModelLog, RememberedModel } from "../../../src/control/index.ts";
import { type NodeView, remembranceUnlessGiven, type View } from "../../../src/model/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { type Authority, authority, type Pair } from "../../fixtures/certificates.ts";
import { writeKubeconfig } from "../../fixtures/kubeconfig.ts";
import { type Given, KubernetesStandIn } from "../../fixtures/kubernetes-stand-in.ts";
import { preparedProgram } from "../../fixtures/prepared-program.ts";
import { type Process, until, type World, world } from "../product/harness.ts";

const kinds = "[Namespace, Node, Deployment, ReplicaSet, Pod, Service, ConfigMap, Secret, Event]";
const ca: { it?: Authority; pair?: Pair } = {};
const here: { api?: KubernetesStandIn; world?: World; control?: Process } = {};
const api = (): KubernetesStandIn => here.api as KubernetesStandIn;

beforeAll(() => {
  ca.it = authority();
  ca.pair = ca.it.sign("IP:127.0.0.1", 1);
});
afterAll(() => ca.it?.remove());

beforeEach(async () => {
  here.api = await KubernetesStandIn.start(ca.pair as Pair);
  here.world = await world({
    config: `model: { facts_every_seconds: 0.2, kubernetes: { name: shop, kubeconfig: ./kubeconfig, kinds: ${kinds} } }`,
  });
  withToken("first token");
  for (const each of shop("cart:1")) api().apply(each);
});
afterEach(async () => {
  await here.world?.close();
  await here.api?.close();
});

function withToken(token: string): void {
  const file = (here.world as World).path("kubeconfig");
  writeKubeconfig(file, { port: api().port, authority: ca.it?.file ?? "", token });
}

const inShop = (kind: string, name: string, rest: object): Given =>
  ({ kind, metadata: { name, namespace: "shop" }, ...rest }) as Given;

/** A service with its workload and one pod of it, on a node. */
function shop(image: string): readonly Given[] {
  const labels = { app: "cart" };
  const containers = [
    {
      name: "cart",
      image,
      env: [{ name: "P", valueFrom: { secretKeyRef: { name: "cart-db", key: "p" } } }],
    },
  ];
  const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  return [
    { kind: "Namespace", metadata: { name: "shop" }, spec: {} },
    { kind: "Node", metadata: { name: "node-1" }, spec: {}, status: {} },
    inShop("Secret", "cart-db", {
      data: { p: "aHVudGVyMg==" },
      metadata: {
        name: "cart-db",
        namespace: "shop",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter2" },
      },
    }),
    inShop("ConfigMap", "cart-settings", { data: { timeout: "5s" } }),
    inShop("Service", "cart", { spec: { selector: labels, ports: [{ port: 80 }] } }),
    inShop("Deployment", "cart", {
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    }),
    {
      kind: "ReplicaSet",
      metadata: {
        ...{ name: "cart-5d4f7c9b8", namespace: "shop", labels },
        ownerReferences: [{ kind: "Deployment", name: "cart", controller: true }],
      },
      spec: { replicas: 1 },
    },
    pod("cart-5d4f7c9b8-x", image, ready),
  ];
}

function pod(name: string, image: string, status: object): Given {
  const ownerReferences = [{ kind: "ReplicaSet", name: "cart-5d4f7c9b8", controller: true }];
  return {
    ...{
      kind: "Pod",
      metadata: { name, namespace: "shop", labels: { app: "cart" }, ownerReferences },
    },
    spec: { nodeName: "node-1", containers: [{ name: "cart", image }] },
    status,
  };
}

async function watching(): Promise<Process> {
  const control = (here.world as World).start("control");
  here.control = control;
  await control.line("control_listening");
  await known("workload:shop/cart");
  return control;
}

/** The stored model, as it is now. */
async function view(): Promise<View> {
  const store = await SqliteStore.open((here.world as World).path("data/store.db"));
  if (!store.ok) throw new Error(store.error);
  const state = new SharedState(store.value);
  const model = new RememberedModel(new ModelLog(state), remembranceUnlessGiven);
  const read = await model.refresh(Date.now());
  await state.close();
  if (!read.ok) throw new Error(read.error);
  return model.graph.latest();
}

/** What is known of a node, as soon as it is as `is` says. */
async function known(
  node: string,
  is: (node: NodeView, view: View) => boolean = () => true,
): Promise<NodeView> {
  return await until(`${node} is known`, async () => {
    const all = await view();
    const found = all.node(node);
    return found !== undefined && is(found, all) ? found : undefined;
  });
}

async function gone(node: string): Promise<void> {
  await until(`${node} is gone`, async () =>
    (await view()).node(node) === undefined ? true : undefined,
  );
}

test("objects appear, change and go; why names what a change broke; nothing of a secret is kept", async () => {
  await watching();
  const cart = "workload:shop/cart";
  await known(cart, (_, all) => all.edges({ from: cart }).length >= 3);
  expect((await view()).edges({ from: cart }).map(({ kind, to }) => `${kind} ${to}`)).toEqual([
    "runs_on host:node-1",
    "configured_by object:Secret/shop/cart-db",
    "part_of service:cart",
  ]);
  const secret = await known("object:Secret/shop/cart-db");
  expect([...secret.aspects.keys()]).toEqual(["metadata"]);
  expect(JSON.stringify([...secret.aspects.values()])).not.toMatch(/hunter2|aHVudGVyMg/);

  for (const each of shop("cart:typo").slice(-3)) api().apply(each);
  api().apply(
    pod("cart-5d4f7c9b8-x", "cart:typo", {
      phase: "Pending",
      conditions: [{ type: "Ready", status: "False", lastTransitionTime: seconds() }],
      containerStatuses: [
        {
          name: "cart",
          ready: false,
          restartCount: 0,
          image: "cart:typo",
          state: {
            waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "cart:typo"' },
          },
        },
      ],
    }),
  );
  api().apply(
    inShop("Event", "cart.1", {
      involvedObject: { kind: "Pod", namespace: "shop", name: "cart-5d4f7c9b8-x" },
      ...{
        type: "Warning",
        reason: "Failed",
        count: 1,
        firstTimestamp: seconds(),
        lastTimestamp: seconds(),
      },
      message: 'Failed to pull image "cart:typo": not found',
    }),
  );
  await known(
    "object:Pod/shop/cart-5d4f7c9b8-x",
    ({ aspects }) => aspects.get("status")?.value["phase"] === "Pending",
  );
  const why = (here.world as World).command("why", "service:cart", "errors", "--json");
  expect(why.code, why.stdout + why.stderr).toBe(0);
  const [first] = (JSON.parse(why.stdout) as { causes: { node: string; kind: string }[] }).causes;
  expect(first).toMatchObject({
    node: "workload:shop/cart",
    kind: expect.stringMatching(/^image\./),
  });

  api().remove("ConfigMap", "shop", "cart-settings");
  await gone("object:ConfigMap/shop/cart-settings");
});

test("what vanished while the connection was cut is gone; a place that is too old is listed anew", async () => {
  await watching();
  await known("object:ConfigMap/shop/cart-settings");
  api().down();
  await (here.control as Process).line("cluster_not_watched");
  api().remove("ConfigMap", "shop", "cart-settings");
  api().apply(pod("cart-5d4f7c9b8-y", "cart:2", { phase: "Running" }));
  api().forgetPast();
  api().up();
  await gone("object:ConfigMap/shop/cart-settings");
  await known("object:Pod/shop/cart-5d4f7c9b8-y");
  // The same while it is connected: the server ends the watch with an event that says so.
  await until("all is watched again", async () => (api().watchers >= 9 ? true : undefined));
  api().forgetPast();
  api().remove("Pod", "shop", "cart-5d4f7c9b8-y");
  await gone("object:Pod/shop/cart-5d4f7c9b8-y");
  const listed = api().requests.filter((each) => /\/configmaps\?limit=/.test(each));
  expect(listed.length).toBeGreaterThan(1);
});

test("what vanished while nobody watched is gone after the next start; what comes again is there", async () => {
  const control = await watching();
  await known("object:ConfigMap/shop/cart-settings");
  expect(await control.stop()).toBe(0);
  expect((here.world as World).command("model", "show").stdout).toMatch(
    /kubernetes shop: not watched any more since/,
  );
  api().remove("ConfigMap", "shop", "cart-settings");
  await watching();
  await gone("object:ConfigMap/shop/cart-settings");
  api().apply(inShop("ConfigMap", "cart-settings", { data: { timeout: "5s" } }));
  const again = await known("object:ConfigMap/shop/cart-settings");
  expect(again.aspects.get("data")?.value).toEqual({ timeout: "5s" });
});

test("an expired token and a missing right are told with what to do, and got over", async () => {
  api().forbidden.add("secrets");
  const control = await watching();
  const refused = await control.line("403");
  expect(String(refused["error"])).toMatch(
    /secrets is forbidden.*needs the rights list and watch/s,
  );
  api().tokens.clear();
  api().tokens.add("second token");
  api().down();
  api().up();
  const expired = await control.line("401");
  expect(String(expired["error"])).toContain("expired");
  await until("the status says so", async () => {
    const { stdout } = (here.world as World).command("model", "show");
    return /kubernetes shop: .*failing/.test(stdout) && stdout.includes("401") ? true : undefined;
  });
  api().forbidden.clear();
  withToken("second token");
  api().apply(inShop("ConfigMap", "late", { data: {} }));
  await known("object:ConfigMap/shop/late");
  await known("object:Secret/shop/cart-db");
  await until("all is watched", async () => {
    const metrics = await fetch(`${(here.world as World).controlUrl}/metrics`);
    const text = await metrics.text();
    return /holdfast_model_watch_up\{kind="Secret"\} 1/.test(text) ? true : undefined;
  });
});

test("a real kubectl reads and watches the stand-in as we do", async () => {
  const program = preparedProgram("kubectl");
  const kubectl = ["--kubeconfig", (here.world as World).path("kubeconfig")];
  const get = (...words: string[]) =>
    promisify(execFile)(program, [...kubectl, "get", ...words], { encoding: "utf8" });
  for (let at = 0; at < 5; at++) api().apply(pod(`more-${at}`, "x", {}));
  const listed = await get("pods", "-A", "--chunk-size=2", "-o", "name");
  expect(listed.stdout.trim().split("\n"), listed.stderr).toHaveLength(6);
  expect(api().requests.filter((each) => each.includes("continue="))).toHaveLength(2);
  expect((await get("deployments.apps", "-n", "shop")).stdout).toMatch(/^NAME .*\ncart /);
  const format = "{.type} {.object.kind} {.object.metadata.name}{'\\n'}";
  const watch: ChildProcess = spawn(program, [
    ...[...kubectl, "get", "pods", "-n", "shop", "--watch", "--output-watch-events"],
    ...["-o", `jsonpath=${format}`],
  ]);
  let said = "";
  watch.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const says = (words: string) =>
    until(words, async () => (said.includes(words) ? true : undefined));
  try {
    await says("ADDED Pod more-4");
    await until("kubectl watches", async () => (api().watchers > 0 ? true : undefined));
    api().apply(pod("more-4", "y", {}));
    await says("MODIFIED Pod more-4");
    api().bookmark();
    api().remove("Pod", "shop", "more-4");
    await says("DELETED Pod more-4");
    api().forgetPast();
    await new Promise((over) => watch.once("close", over));
  } finally {
    watch.kill("SIGKILL");
  }
});

function seconds(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
