/** `holdfast model ingest`, `show` and `forget` on a store in memory: what people see, and with which exit code it ends. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Config } from "../../../src/cli/index.ts";
import { registerModelCommands } from "../../../src/cli/model/index.ts";
import { ModelLog, RememberedModel } from "../../../src/control/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import { remembranceUnlessGiven } from "../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const folder = { path: "" };
beforeEach(() => {
  folder.path = mkdtempSync(join(tmpdir(), "holdfast-model-"));
});
afterEach(() => rmSync(folder.path, { recursive: true }));

class Desk {
  readonly database = new SimDatabase(new Random(1), new SimClock(), noStoreFaults);
  kinds: Config["model"]["kinds"] = {};

  put(name: string, content: unknown): string {
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    const now = this.database.wallMs() / 1_000;
    utimesSync(path, now, now);
    return path;
  }

  async run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    const said = { code: -1, out: "", err: "" };
    const say = (to: "out" | "err") => (line: string) => {
      said[to] += `${line.replaceAll(folder.path, "…")}\n`;
    };
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    registerModelCommands(program, (command) => command, {
      io: { out: say("out"), err: say("err") },
      open: async () =>
        ok({
          state: new SharedState(this.database.open()),
          config: { model: { kinds: this.kinds } } as unknown as Config,
        }),
      exit: (code) => {
        said.code = code;
      },
    });
    await program.parseAsync(["model", ...args], { from: "user" });
    return said;
  }
}

const flagFile = (state: string) => ({
  flags: { "new-cart": { state, variants: { on: true, off: false }, defaultVariant: "on" } },
});

const deployment = (image: string, at: string) => `
apiVersion: apps/v1
kind: Deployment
metadata:
  { name: cart, namespace: shop, uid: u, generation: 1, creationTimestamp: "${at}" }
spec: { template: { metadata: { labels: { app: cart } }, spec: { containers: [{ name: c, image: "${image}" }] } } }
`;

test("a folder is taken, each file once, and what is known is shown", async () => {
  const desk = new Desk();
  desk.put("flags.json", flagFile("ENABLED"));
  desk.put("k8s/cart.yaml", deployment("cart:1", "2026-01-01T00:00:00Z"));
  desk.put(
    "k8s/service.yaml",
    "apiVersion: v1\nkind: Service\nmetadata: { name: basket, namespace: shop }\nspec: { selector: { app: cart } }\n",
  );
  desk.put(".git/config.json", "{}");
  expect(await desk.run("ingest", folder.path)).toEqual({
    code: 0,
    out: "took 7 events in 2 batches of 3 files; 0 known before, 0 refused\n",
    err: "",
  });
  expect((await desk.run("ingest", folder.path)).out).toBe(
    "took 0 events in 0 batches of 3 files; 2 known before, 0 refused\n",
  );
  const shown = await desk.run("show", "--json");
  expect(JSON.parse(shown.out)).toMatchObject({
    nodes: { service: 1, workload: 1, object: 1, namespace: 1, flag: 1 },
    edges: { "part_of declared": 1 },
    events: [
      { kind: "edge", source: "kubernetes" },
      { kind: "node", source: "flags" },
      { kind: "node" },
    ],
  });
  const node = await desk.run("show", "--node", "workload:shop/cart");
  expect(node.out).toContain("part_of (declared) service:basket");
  expect(node.out).toContain(
    "spec since 2026-01-01T00:00:00.000Z [kubernetes …/k8s/cart.yaml:2 Deployment/shop/cart]",
  );
  expect(await desk.run("show", "--node", "service:lost")).toMatchObject({ code: 1 });
  expect(await desk.run("show", "--at", "yesterday")).toMatchObject({ code: 2 });
  const before = await desk.run("show", "--at", "2025-01-01T00:00:00Z", "--json");
  expect(JSON.parse(before.out)).toMatchObject({ nodes: {}, events: [] });
});

/** Traces of one service, one span each, from `startMs` on. */
function traces(startMs: number, count: number): string {
  const spans = Array.from({ length: count }, (_, at) => ({
    ...{ traceId: `${at + 1}`.padStart(32, "0"), spanId: "1".padStart(16, "0"), name: "GET /" },
    startTimeUnixNano: `${BigInt(startMs + at) * 1_000_000n}`,
    endTimeUnixNano: `${BigInt(startMs + at + 5) * 1_000_000n}`,
  }));
  const attributes = [{ key: "service.name", value: { stringValue: "front" } }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
}

test("a file of traces that has grown is ingested again, and each span counted once", async () => {
  const desk = new Desk();
  const startMs = Math.floor(desk.database.wallMs() / 60_000) * 60_000 - 600_000;
  const total = async (): Promise<number> => {
    const model = new RememberedModel(
      new ModelLog(new SharedState(desk.database.open())),
      remembranceUnlessGiven,
    );
    await model.refresh(desk.database.wallMs());
    return model.graph
      .latest()
      .traffic()
      .reduce((sum, { count }) => sum + count, 0);
  };
  for (const count of [2, 3, 3, 5]) {
    desk.put("traces.json", traces(startMs, count));
    expect((await desk.run("ingest", folder.path)).code).toBe(0);
    expect(await total()).toBe(count);
  }
});

test("what is older than it is remembered is told", async () => {
  const desk = new Desk();
  desk.put("traces.json", traces(Date.UTC(2020, 1, 1), 2));
  const { code, err } = await desk.run("ingest", folder.path);
  expect(code).toBe(0);
  expect(err).toContain("1 of these events are older than they are remembered");
});

test("a broken file is refused whole with its place, and the others are taken", async () => {
  const desk = new Desk();
  desk.put("good.json", flagFile("ENABLED"));
  desk.put("state.json", [flagFile("ENABLED"), flagFile("PERHAPS")]);
  desk.put("torn.json", '{"flags": {');
  desk.put("torn.yaml", "kind: [Pod\n");
  desk.put("lines.jsonl", `${JSON.stringify(flagFile("ENABLED"))}\n{"a":\n`);
  desk.put("half.json", [flagFile("ENABLED"), { what: "is this" }]);
  desk.put("other.json", { what: "is this" });
  const said = await desk.run("ingest", folder.path);
  expect(said.code).toBe(1);
  expect(said.out).toBe("took 1 events in 1 batches of 7 files; 0 known before, 5 refused\n");
  expect(said.err).toContain(
    "refused …/state.json flags.new-cart.state: a flag is ENABLED or DISABLED",
  );
  expect(said.err).toMatch(/refused …\/torn\.json: no JSON \(.*at byte 11/);
  expect(said.err).toMatch(/refused …\/torn\.yaml:\d+:\d+: /);
  expect(said.err).toContain("refused …/lines.jsonl:2: no JSON");
  expect(said.err).toContain("refused …/half.json: no source knows this document");
  expect(said.err).toContain("skipped 1 files that no source knows (…/other.json …)");
  expect(JSON.parse((await desk.run("show", "--json")).out)).toMatchObject({ nodes: { flag: 1 } });
});

test("nothing is stored by a dry run, nor by what cannot be read", async () => {
  const desk = new Desk();
  const path = desk.put("flags.json", flagFile("ENABLED"));
  expect(await desk.run("ingest", "--dry-run", path)).toMatchObject({
    code: 0,
    out: "would take 1 events in 1 batches of 1 files; 0 known before, 0 refused\n",
  });
  expect(await desk.run("ingest", join(folder.path, "lost"))).toMatchObject({
    code: 2,
    err: "error: …/lost: no such file or folder\n",
  });
  expect(await desk.run("ingest", "--as", "tea-leaves", path)).toMatchObject({ code: 2 });
  expect(desk.database.commits).toBe(0);
  expect((await desk.run("show")).out).toContain("nothing was ingested; `holdfast model ingest");
});

test("an address is read once, and what it answers is known by its type", async () => {
  const desk = new Desk();
  const server: Server = createServer((request, response) => {
    const isThere = request.url === "/k8s";
    response.writeHead(isThere ? 200 : 404, { "content-type": "application/yaml" });
    response.end(deployment("cart:1", "2026-01-01T00:00:00Z"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    expect(await desk.run("ingest", `http://127.0.0.1:${port}/k8s`)).toMatchObject({ code: 0 });
    expect(await desk.run("ingest", `http://127.0.0.1:${port}/lost`)).toMatchObject({
      code: 2,
      err: expect.stringContaining("answers 404"),
    });
  } finally {
    server.close();
  }
});

test("what is remembered, and how long, is configured by kind; `forget` removes the rest", async () => {
  const desk = new Desk();
  const days = (count: number): string =>
    new Date(desk.database.wallMs() - count * 86_400_000).toISOString();
  const alert = (name: string, at: string) => ({
    ...{ receiver: "x", groupKey: "k" },
    alerts: [{ status: "firing", labels: { alertname: name, service: "cart" }, startsAt: at }],
  });
  const path = desk.put("alerts.json", [alert("old", days(20)), alert("new", days(1))]);
  await desk.run("ingest", path);
  const titles = async (): Promise<unknown> =>
    JSON.parse(
      (await desk.run("show", "--node", "service:cart", "--json")).out || "{}",
    ).alerts?.map(({ title }: { title: string }) => title);
  expect(await titles()).toEqual(["old", "new"]);
  desk.kinds = { alert: { remember: true, keep_days: 10, readers: ["*"] } };
  expect(await titles()).toEqual(["new"]);
  expect((await desk.run("forget")).out).toBe("forgot 1 events, 1 are left\n");
  desk.kinds = { alert: { remember: false, readers: ["*"] } };
  expect(await titles()).toBeUndefined();
  expect((await desk.run("forget", "--json")).out).toBe('{"before":1,"after":0,"forgotten":1}\n');
});

test("a folder of which a part cannot be read is not taken, and says which part", async () => {
  // What no system call reaches is unreadable for root too, who may read everything else.
  const deep = (top: string) => join(folder.path, top, ...Array<string>(14).fill("d".repeat(200)));
  mkdirSync(deep("a"), { recursive: true });
  mkdirSync(deep("b"), { recursive: true });
  renameSync(join(folder.path, "b"), join(deep("a"), "b"));
  try {
    const { code, err } = await new Desk().run("ingest", folder.path);
    expect(err).toContain("the folder cannot be read (ENAMETOOLONG)");
    expect(code).toBe(2);
  } finally {
    renameSync(join(deep("a"), "b"), join(folder.path, "b"));
  }
});

test("a node is shown by its name too, and what it is since when, however often it was told", async () => {
  const desk = new Desk();
  const now = desk.database.wallMs() / 1_000;
  for (const [index, name] of ["a.json", "b.json", "c.json"].entries()) {
    const path = desk.put(name, {
      ...{ kind: "Namespace", apiVersion: "v1", status: { phase: "Active" } },
      metadata: { name: "shop", uid: "u", creationTimestamp: "2025-12-01T00:00:00Z" },
    });
    utimesSync(path, now, now - 600 * (2 - index));
  }
  await desk.run("ingest", folder.path);
  const shown = await desk.run("show", "--node", "shop", "--json");
  const first = new Date((now - 1_200) * 1_000).toISOString();
  expect(JSON.parse(shown.out).aspects.status).toMatchObject({ since: first });
  expect((await desk.run("show", "--node", "shpo")).err).toContain("did you mean");
});

test("a chart's template is refused with what to do; what only speaks of templates is not", async () => {
  const desk = new Desk();
  const deployment =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  namespace: shop\n  name: ";
  const files = [
    desk.put("template.yaml", `${deployment}{{ .Values.name }}\n`),
    desk.put("block.yaml", `{{- if .Capabilities }}\n${deployment}cart\n{{- end }}\n`),
    desk.put(
      "plain.yaml",
      `${deployment}cart\n  annotations: { note: "{{ $labels.pod }} is down" }\n`,
    ),
  ];
  const took = await desk.run("ingest", ...files);
  expect(took.code).toBe(1);
  expect(took.err).toContain("refused …/template.yaml:5: a Helm template");
  expect(took.err).toContain("refused …/block.yaml:1: a Helm template");
  expect(took.err).toContain("render it first: helm template <release> <chart>");
  expect(took.out).toContain("in 1 batches of 3 files; 0 known before, 2 refused");
});

test("a large file is told of before it is read, and while it is counted", async () => {
  const desk = new Desk();
  const text = JSON.stringify(flagFile("ENABLED"));
  const took = await desk.run("ingest", desk.put("large.json", text + " ".repeat(17 * 2 ** 20)));
  expect(took.err.split("\n").slice(0, 3)).toEqual([
    "reading …/large.json, 17 MB",
    "read 17 MB; parsing and counting",
    "counted 17 MB; 1 batches to store",
  ]);
  expect((await desk.run("ingest", desk.put("small.json", text))).err).toBe("");
});
