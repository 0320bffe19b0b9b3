/** What there is: Backstage's catalogue by its own validators, Terraform, and what alerts are about. */

import { KubernetesValidatorFunctions } from "@backstage/catalog-model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchesOf } from "../../../../src/adapters/sources/index.ts";
import "../../../fixtures/fixed-seed.ts";
import { Graph } from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";
import { eventsOf, file, of, refusal, ties } from "./telling.ts";

const at = Date.parse("2026-05-04T10:00:00Z");
const created = "2026-05-04T10:00:00Z";

describe("Backstage", () => {
  const yaml = `
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: web, annotations: { github.com/project-slug: org/web } }
spec: { type: website, lifecycle: production, owner: team, consumesApis: [cart-api, lost-api], dependsOn: ["resource:orders", "component:cart"] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: cart }
spec: { type: service, lifecycle: production, owner: team, providesApis: [default/cart-api] }
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: { name: orders }
spec: { type: database, owner: team }
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: cart-api }
spec: { type: openapi, lifecycle: production, owner: team, definition: x }
`;

  test("who consumes an API is declared to call who provides it", () => {
    const events = eventsOf(file("catalog-info.yaml", yaml));
    expect(ties(events)).toEqual([
      "service:web calls service:cart",
      "service:web depends_on database:orders",
      "service:web depends_on service:cart",
    ]);
    expect(of("node", events).map(({ node, aspect }) => `${node} ${aspect}`)).toEqual([
      "service:web contract",
      "service:cart contract",
      "database:orders contract",
    ]);
  });

  test("a name is one exactly when Backstage's own validator says so", () => {
    const name = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "Z", "0", "-", "_", ".", " ", "ü"), maxLength: 66 }),
      fc.string({ unit: fc.constantFrom("a", "-"), minLength: 60, maxLength: 66 }),
    );
    fc.assert(
      fc.property(name, (each) => {
        const said = refusal(
          file("c.json", {
            apiVersion: "backstage.io/v1alpha1",
            kind: "Component",
            metadata: { name: each },
          }),
        );
        expect(said === "taken").toBe(KubernetesValidatorFunctions.isValidObjectName(each));
      }),
      { numRuns: runsOf(300) },
    );
  });
});

test("Terraform: what is, what depends on what, what a plan changes, and nothing that is sensitive", () => {
  const plan = {
    format_version: "1.2",
    timestamp: created,
    resource_changes: [
      {
        ...{ address: "aws_db_instance.main", type: "aws_db_instance" },
        change: {
          actions: ["update"],
          before: { size: "small", password: "hunter2", tags: { a: "1" } },
          after: { size: "large", password: "hunter3", tags: { a: "1" } },
          ...{
            before_sensitive: { password: true },
            after_sensitive: { password: true },
            after_unknown: { arn: true },
          },
        },
      },
      { address: "aws_sqs_queue.q", type: "aws_sqs_queue", change: { actions: ["no-op"] } },
    ],
    prior_state: {
      values: {
        root_module: {
          resources: [
            {
              address: "aws_db_instance.main",
              mode: "managed",
              type: "aws_db_instance",
              values: { size: "small", password: "hunter2" },
              sensitive_values: { password: true },
              depends_on: ["data.aws_ami.main", "module.net.aws_vpc.v"],
            },
          ],
          child_modules: [
            {
              resources: [
                {
                  address: "module.net.aws_vpc.v[0]",
                  mode: "managed",
                  type: "aws_vpc",
                  values: {},
                },
              ],
            },
          ],
        },
      },
    },
  };
  const events = eventsOf(file("plan.json", plan));
  expect(of("change", events)).toMatchObject([
    {
      ...{
        kind: "infrastructure",
        at,
        targets: ["database:aws_db_instance.main"],
        title: "update aws_db_instance.main",
      },
      diff: [
        { path: "arn", added: ["(known after apply)"] },
        { path: "size", removed: ["small"], added: ["large"] },
      ],
    },
  ]);
  expect(ties(events)).toEqual([
    "database:aws_db_instance.main depends_on object:terraform/module.net.aws_vpc.v[0]",
  ]);
  expect(JSON.stringify(events)).not.toContain("hunter");
  // As a shell of Windows redirects it.
  const text = JSON.stringify(plan);
  for (const bytes of [Buffer.from(`\ufeff${text}`), Buffer.from(`\ufeff${text}`, "utf16le")]) {
    const [batch] = batchesOf([{ path: "plan.json", bytes, modifiedAtMs: 0 }]).batches;
    expect(batch?.events.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  }
  expect(refusal(file("p.json", { ...plan, format_version: "9.0" }))).toContain("format_version");
});

test("a state of Terraform 0.12, whose addresses lack module and index: every instance is its own node", () => {
  const volume = (index?: number | string) => ({
    ...{ address: "aws_ebs_volume.data", mode: "managed", type: "aws_ebs_volume", values: {} },
    ...(index === undefined ? {} : { index }),
  });
  const child_modules = [{ address: "module.db", resources: [volume("eu"), volume()] }];
  const root_module = { resources: [volume(0), volume(1)], child_modules };
  const state = { format_version: "0.1", terraform_version: "0.12.31", values: { root_module } };
  expect(of("node", eventsOf(file("state.json", state))).map(({ node }) => node)).toEqual([
    "object:terraform/aws_ebs_volume.data[0]",
    "object:terraform/aws_ebs_volume.data[1]",
    'object:terraform/module.db.aws_ebs_volume.data["eu"]',
    "object:terraform/module.db.aws_ebs_volume.data",
  ]);
});

describe("alerts", () => {
  const hook = (alert: object) => ({
    version: "4",
    groupKey: "{}",
    receiver: "holdfast",
    alerts: [alert],
  });
  test.each([
    [{ service: "cart", alertname: "HighLatency" }, "service:cart", "latency"],
    [
      { namespace: "shop", deployment: "cart", alertname: "KubeReplicasMismatch" },
      "workload:shop/cart",
      "other",
    ],
    [
      { namespace: "shop", pod: "cart-1", alertname: "PodCrashLooping" },
      "object:Pod/shop/cart-1",
      "restarts",
    ],
    [{ instance: "10.0.0.1:9100", alertname: "HostHighCpuLoad" }, "host:10.0.0.1", "cpu"],
    [{ job: "shop/cart", alertname: "TargetDown" }, "service:cart", "availability"],
    [{ alertname: "Watchdog" }, "observer:Watchdog", "other"],
  ])("Alertmanager: %j is about %s", (labels, node, signal) => {
    const alert = {
      status: "firing",
      labels,
      startsAt: created,
      endsAt: "0001-01-01T00:00:00Z",
      fingerprint: "f",
    };
    expect(of("alert", eventsOf(file("a.json", hook(alert))))).toMatchObject([
      { node, signal, at },
    ]);
  });

  test("Alertmanager: an alert that ends is the same alert, resolved", () => {
    const alert = {
      status: "firing",
      labels: { service: "cart", alertname: "Errors" },
      startsAt: created,
    };
    const graph = new Graph();
    graph.add(
      eventsOf(
        file("a.json", hook({ ...alert, status: "resolved", endsAt: "2026-05-04T10:30:00Z" })),
      ),
    );
    graph.add(eventsOf(file("b.json", hook(alert), at)));
    expect(
      graph
        .latest()
        .alerts()
        .map(({ resolvedAt }) => resolvedAt),
    ).toEqual([at + 1_800_000]);
    expect(refusal(file("c.json", hook({ ...alert, startsAt: "now" })))).toContain(
      "alerts[0].startsAt",
    );
  });

  test("PagerDuty: from triggered to resolved", () => {
    const event = (type: string, occurred: string) => ({
      event: {
        id: "1",
        event_type: `incident.${type}`,
        occurred_at: occurred,
        data: {
          id: "Q1",
          type: "incident",
          title: "Cart is slow",
          created_at: created,
          service: { summary: "cart" },
        },
      },
    });
    const graph = new Graph();
    graph.add(
      eventsOf(
        file("r.json", event("resolved", "2026-05-04T10:30:00Z")),
        file("t.json", event("triggered", created)),
      ),
    );
    expect(graph.latest().alerts()).toMatchObject([
      { node: "service:cart", signal: "latency", at, resolvedAt: at + 1_800_000 },
    ]);
  });
});
