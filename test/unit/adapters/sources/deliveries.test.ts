/** Deploys and other changes: GitHub's own examples, Argo CD, CDEvents with their links, CloudEvents, flags, migrations. */
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { batchesOf } from "../../../../src/adapters/sources/index.ts";
import { Graph } from "../../../../src/model/index.ts";
import { eventsOf, file, of, receivedAt, refusal } from "./telling.ts";

const examples = createRequire(import.meta.url)("@octokit/webhooks-examples") as readonly {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}[];
const examplesOf = (name: string) => examples.find((each) => each.name === name)?.examples ?? [];

describe("GitHub's examples", () => {
  test("every push, deployment and status is told; what else it sends is no fault and no event", () => {
    for (const { name, examples: payloads } of examples)
      for (const [index, payload] of payloads.entries()) {
        const { batches, refused, skipped } = batchesOf([file(`${name}.${index}.json`, payload)]);
        expect(refused).toEqual([]);
        const isRead = ["push", "deployment", "deployment_status"].includes(name);
        if (isRead) expect(batches[0]?.names).toEqual(["github"]);
        if (!isRead && payload["deployment"] === undefined) expect(skipped).toHaveLength(1);
      }
  });

  test("a push is a change for each commit, with its files", () => {
    const changes = examplesOf("push").flatMap((payload) =>
      of("change", eventsOf(file("push.json", payload))),
    );
    const commits = examplesOf("push").flatMap(({ commits }) => commits as { id: string }[]);
    expect(changes.map(({ change }) => change)).toEqual(commits.map(({ id }) => `commit:${id}`));
    expect(changes.length).toBeGreaterThan(0);
    for (const { kind, targets, diff } of changes)
      expect([kind, targets.length, diff !== undefined]).toEqual(["commit", 1, true]);
  });

  test("a deployment leads back to its commit, and its status is a fact about it", () => {
    const [payload] = examplesOf("deployment_status");
    const events = eventsOf(file("status.json", payload));
    const { sha, id, created_at } = (payload?.["deployment"] ?? {}) as Record<string, string>;
    const [deploy] = of("change", events);
    expect(deploy).toMatchObject({
      change: `deploy:github/Codertocat/Hello-World/${id}`,
      kind: "deploy",
      at: Date.parse(created_at ?? ""),
      targets: ["service:Hello-World"],
      causedBy: [`commit:${sha}`],
    });
    expect(of("node", events)[0]?.value).toMatchObject({ environment: "production" });
    // The deployment alone says the same change.
    const alone = eventsOf(file("deployment.json", examplesOf("deployment")[0]));
    expect(of("change", alone)[0]?.id).toBe(deploy?.id);
  });

  test("one that has lost its time is refused by the path", () => {
    const [payload] = examplesOf("push").filter(({ commits }) => (commits as []).length > 0);
    const broken = structuredClone(payload) as { commits: Record<string, unknown>[] };
    delete broken.commits[0]?.["timestamp"];
    expect(refusal(file("p.json", broken))).toBe(
      "p.json commits[0].timestamp: a commit has an id and a timestamp",
    );
  });
});

test("Argo CD: each entry of the history is a deploy that follows the one before", () => {
  const revision = "a".repeat(40);
  const app = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: "cart", namespace: "argocd" },
    status: {
      health: { status: "Degraded", message: "back-off" },
      resources: [
        { kind: "Deployment", namespace: "shop", name: "cart" },
        { kind: "Service", name: "x" },
      ],
      history: [
        { id: 0, revision: "v1", deployedAt: "2026-05-04T10:00:00Z" },
        { id: 1, revision, deployedAt: "2026-05-04T11:00:00Z", initiatedBy: { username: "dana" } },
      ],
      operationState: { phase: "Failed", message: "hook", finishedAt: "2026-05-04T11:01:00Z" },
    },
  };
  const events = eventsOf(file("a.json", { app, context: {} }));
  expect(of("change", events)).toMatchObject([
    { change: "deploy:argo-cd/argocd/cart/0", after: "v1" },
    {
      ...{ before: "v1", after: revision, actor: "dana", causedBy: [`commit:${revision}`] },
      targets: ["service:cart", "workload:shop/cart"],
    },
  ]);
  expect(of("condition", events).map(({ name, status }) => [name, status])).toEqual([
    ["ArgoCDHealthDegraded", "true"],
    ["ArgoCDSyncFailed", "true"],
  ]);
  expect(of("change", eventsOf(file("b.json", app)))).toEqual(
    of("change", events).map((event) => ({
      ...event,
      origin: { ...event.origin, reference: event.origin.reference.replace("a.json", "b.json") },
    })),
  );
});

describe("CDEvents", () => {
  const event = (type: string, id: string, subject: object, links: readonly object[] = []) => ({
    context: {
      version: "0.4.1",
      id,
      source: "/ci",
      type: `dev.cdevents.${type}`,
      timestamp: "2026-05-04T10:00:00Z",
      links,
    },
    subject,
  });
  const merged = event("change.merged.0.2.0", "e1", {
    id: "pr-7",
    content: { repository: { id: "org/cart" } },
  });
  const built = event("build.finished.0.2.0", "e2", { id: "b", content: {} }, [
    { linkType: "PATH", from: { contextId: "e1" } },
  ]);
  const deployed = event(
    "service.deployed.0.2.0",
    "e3",
    { id: "shop/cart", content: { artifactId: "pkg:oci/cart@sha256%3A1" } },
    [
      { linkType: "END", from: { contextId: "e2" } },
      { linkType: "RELATION", linkKind: "TRIGGER", target: { contextId: "e0" } },
    ],
  );

  test("a deploy leads back by its links to the change that was merged", () => {
    const events = eventsOf(
      file("ce.jsonl", [deployed, merged, built].map((each) => JSON.stringify(each)).join("\n")),
    );
    expect(of("change", events)).toMatchObject([
      {
        ...{ change: "deploy:cdevent/e3", kind: "deploy", targets: ["service:cart"] },
        ...{
          after: "pkg:oci/cart@sha256%3A1",
          causedBy: ["deploy:cdevent/e2", "deploy:cdevent/e0"],
        },
      },
      { change: "deploy:cdevent/e1", kind: "commit", targets: ["service:cart"] },
    ]);
    const graph = new Graph();
    graph.add(events);
    const back = graph.latest().neighbours("deploy:cdevent/e3", { direction: "out", depth: 9 });
    expect(back.map(({ node, distance }) => `${node} ${distance}`)).toEqual([
      "deploy:cdevent/e0 1",
      "deploy:cdevent/e2 1",
      "deploy:cdevent/e1 2",
    ]);
  });

  test("an incident is an alert; a CloudEvent around it changes nothing; without a time it is refused", () => {
    const incident = event("incident.detected.0.2.0", "i1", {
      id: "i",
      content: { description: "slow", service: { id: "cart" } },
    });
    const plain = eventsOf(file("i.json", incident));
    expect(of("alert", plain)).toMatchObject([{ node: "service:cart", title: "slow" }]);
    const wrapped = {
      specversion: "1.0",
      id: "x",
      source: "y",
      type: "dev.cdevents.incident.detected.0.2.0",
      data: incident,
    };
    expect(eventsOf(file("i.json", wrapped))).toEqual(plain);
    const broken = { ...merged, context: { ...merged.context, timestamp: "soon" } };
    expect(refusal(file("b.json", broken))).toContain("b.json context.timestamp: ");
  });
});

test("CloudEvents: the type says what changed, the data to what; what says nothing is noted", () => {
  const event = {
    specversion: "1.0",
    id: "7",
    source: "/flags",
    type: "com.example.flag.toggled",
    time: "2026-05-04T10:00:00Z",
  };
  const data = {
    service: "cart",
    actor: "dana",
    before: "off",
    after: "on",
    diff: [{ path: "new-cart", removed: ["off"], added: ["on"] }],
  };
  expect(of("change", eventsOf(file("c.json", { ...event, data })))).toMatchObject([
    {
      kind: "flag",
      change: "flag:/flags/7",
      targets: ["service:cart"],
      actor: "dana",
      before: "off",
      diff: [{ path: "new-cart" }],
    },
  ]);
  const named = {
    ...event,
    type: "x.y",
    data: { kind: "scale", targets: ["workload:shop/cart", "web"] },
  };
  expect(of("change", eventsOf(file("c.json", named)))).toMatchObject([
    { kind: "scale", targets: ["workload:shop/cart", "service:web"] },
  ]);
  const { batches } = batchesOf([file("c.json", { ...event, type: "com.example.tea" })]);
  expect(batches[0]?.notes).toEqual([expect.stringContaining("names no kind of change")]);
  expect(refusal(file("c.json", { ...event, source: "" }))).toContain(
    "source: a CloudEvent has a source",
  );
});

test("flags: definitions are facts, a switch is a change", () => {
  const flags = { new: { state: "ENABLED", variants: { on: true }, defaultVariant: "on" } };
  expect(of("node", eventsOf(file("f.json", { flags })))).toMatchObject([
    { node: "flag:new", aspect: "spec", at: receivedAt, value: { state: "ENABLED" } },
  ]);
  const toggled = {
    flag: "new",
    before: false,
    after: true,
    at: "2026-05-04T10:00:00Z",
    service: "cart",
  };
  expect(of("change", eventsOf(file("s.json", toggled)))).toMatchObject([
    { change: "flag:new", kind: "flag", targets: ["service:cart"], before: "false", after: "true" },
  ]);
  const wrong = { flags: { new: { ...flags.new, defaultVariant: "blue" } } };
  expect(refusal(file("f.json", wrong))).toBe(
    "f.json flags.new.defaultVariant: there is no variant blue",
  );
});

test.each([
  ["orders/db/migration/V2_1__add_column.sql", "deploy:migration/orders/V2_1", "add column"],
  ["billing/migrations/000002_add_index.up.sql", "deploy:migration/billing/000002", "add index"],
])("migrations: %s", (path, change, title) => {
  const sql = "-- why\nALTER TABLE orders ADD COLUMN x int;\nCREATE INDEX i ON orders (x);\n";
  const [event] = of("change", eventsOf(file(path, sql)));
  expect(event).toMatchObject({ change, kind: "migration", title: expect.stringContaining(title) });
  expect(event?.diff?.map((part) => part.path.split("#")[1])).toEqual(["orders", "orders"]);
  const down = path.replace(".up.", ".down.").replace("V2_1__", "");
  expect(batchesOf([file(down, sql)]).skipped).toEqual([down]);
});
