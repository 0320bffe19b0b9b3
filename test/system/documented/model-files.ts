/** What a newcomer's production told: a shop whose cart fails since a deploy. Written with times of now, since a model forgets. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const minute = 60_000;

/** `k8s/`, `deploys/`, `telemetry/`, `alerts.json`, `dump.json` and `postmortem.md`, as the pages name them. */
export function writeModelFiles(folder: string, now: number): void {
  const write = (path: string, content: unknown): void =>
    writeFileSync(
      join(folder, path),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  for (const made of ["k8s", "deploys", "telemetry"]) mkdirSync(join(folder, made));
  write("k8s/cart.yaml", workload);
  write("dump.json", { apiVersion: "v1", kind: "List", items: [] });
  write("deploys/pipeline.json", deploy(now - 4 * minute));
  write("telemetry/traces.json", traces(now));
  write("telemetry/logs.json", logs(now - 3 * minute));
  write("alerts.json", alerts(now - 2 * minute));
  write(
    "postmortem.md",
    "# Tuesday\n\n## Root cause\nA release of service:cart.\n\nkind: change.code\n",
  );
}

const workload = `apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { replicas: 1, selector: { matchLabels: { app: cart } }, template: { metadata: { labels: { app: cart } }, spec: { containers: [{ name: cart, image: "cart:1.8.0" }] } } }
`;

function deploy(at: number): object {
  return {
    ...{ specversion: "1.0", id: "cart-1.8.0", source: "pipeline", type: "shop.deploy.changed" },
    ...{ time: new Date(at).toISOString(), datacontenttype: "application/json" },
    data: {
      ...{ kind: "deploy", targets: ["service:cart"], title: "cart 1.8.0: prices in cents" },
      diff: [{ path: "price.ts", removed: ["price * 100"], added: ["cents(price)"] }],
    },
  };
}

const nanos = (at: number): string => `${at}000000`;
const resource = (service: string) => ({
  attributes: [{ key: "service.name", value: { stringValue: service } }],
});

/** The front calls the cart, three hours ago and of late. */
function traces(now: number): object {
  const moments = Array.from({ length: 20 }, (_, at) => now - (at < 10 ? 180 : 1) * minute - at);
  const spans = (service: string, kind: number, id: string, parent: string, name: string) => ({
    resource: resource(service),
    scopeSpans: [
      {
        spans: moments.map((at, i) => ({
          ...{ traceId: String(i).padStart(32, "a"), spanId: id, parentSpanId: parent },
          ...{ name, kind, startTimeUnixNano: nanos(at), endTimeUnixNano: nanos(at + 20) },
        })),
      },
    ],
  });
  return {
    resourceSpans: [
      spans("front", 2, "aaaaaaaaaaaaaaaa", "", "GET /cart"),
      spans("cart", 2, "bbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaa", "GET /items"),
    ],
  };
}

function logs(at: number): object {
  const records = Array.from({ length: 12 }, (_, i) => ({
    ...{ timeUnixNano: nanos(at + i * 1_000), severityNumber: 17, severityText: "ERROR" },
    body: { stringValue: `cents of item ${i} is not a function` },
  }));
  return { resourceLogs: [{ resource: resource("cart"), scopeLogs: [{ logRecords: records }] }] };
}

function alerts(at: number): object {
  return {
    ...{ version: "4", groupKey: "g", status: "firing", receiver: "on-call", externalURL: "" },
    ...{ groupLabels: {}, commonLabels: {}, commonAnnotations: {}, truncatedAlerts: 0 },
    alerts: [
      {
        ...{
          status: "firing",
          startsAt: new Date(at).toISOString(),
          endsAt: "0001-01-01T00:00:00Z",
        },
        labels: { alertname: "HighErrorRate", service: "cart" },
        annotations: { summary: "cart fails" },
        ...{ generatorURL: "", fingerprint: "f1" },
      },
    ],
  };
}
