/** `holdfast model import-postmortem` and `confirm`: files become memory of the store, and `why` uses and shows it. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { confirmFiles, fromIncident, fromPostmortem } from "../../../../src/cli/model/confirm.ts";
import { askWhy } from "../../../../src/cli/model/why.ts";
import { ModelLog, RememberedModel } from "../../../../src/control/index.ts";
import { type Graph, remembranceUnlessGiven } from "../../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";
import { edge } from "../../../fixtures/model-events.ts";
import { ShopCluster } from "../../model/why/rules/shop-cluster.ts";

class World {
  readonly state = new SharedState(
    new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
  );
  readonly out: string[] = [];
  readonly err: string[] = [];

  async run(files: Readonly<Record<string, string>>, read = fromPostmortem): Promise<number> {
    const folder = await mkdtemp(join(tmpdir(), "confirm-"));
    const paths = Object.keys(files).map((name) => join(folder, name));
    for (const [i, text] of Object.values(files).entries()) await writeFile(paths[i] ?? "", text);
    const io = {
      out: (line: string) => void this.out.push(line),
      err: (line: string) => void this.err.push(line),
    };
    return await confirmFiles(this.state, paths, {
      read,
      by: "mika",
      io,
      rules: remembranceUnlessGiven,
    });
  }

  async graph(): Promise<Graph> {
    const model = new RememberedModel(new ModelLog(this.state), remembranceUnlessGiven);
    const now = await this.state.now();
    await model.refresh(now.ok ? now.value : 0);
    return model.graph;
  }
}

const postmortem =
  "# Cart\n\n## Root cause\nThe port of workload:shop/cart.\n\nkind: routing.port\n";

test("a postmortem is remembered by the store, and the next answer shows it", async () => {
  const world = new World();
  expect(await world.run({ "tuesday.md": postmortem })).toBe(0);
  expect(world.out.join("")).toContain("tuesday: routing.port at workload:shop/cart is remembered");
  const graph = await world.graph();
  graph.add(
    new ShopCluster().put("Service", "cart", ["spec", "ports", 0, "targetPort"], 9090).events(),
  );
  const asked = askWhy(graph, ["service:cart", "failing"], {}, 1_900_000_000_000, 1e15);
  expect(asked.ok && asked.value.answer.causes[0]?.remembered).toEqual(["tuesday"]);
  const forgotten = askWhy(graph, ["service:cart", "failing"], {}, 1_900_000_000_000, 1);
  expect(forgotten.ok && forgotten.value.answer.causes[0]?.remembered).toEqual([]);
});

test("people confirm an incident by its own file; what is refused says why and costs nothing", async () => {
  const world = new World();
  const good = JSON.stringify({
    id: "i9",
    node: "service:cart",
    kind: "compute.memory",
    chain: [],
  });
  const bad = JSON.stringify({ id: "i8", node: "service:cart", kind: "magic" });
  expect(await world.run({ "good.json": good, "bad.json": bad }, fromIncident)).toBe(1);
  expect(world.err.join("")).toContain("$.kind: magic is no kind of cause");
  expect(world.out).toEqual(["i9: compute.memory at service:cart is remembered"]);
});

test("a postmortem that names no cause is refused", async () => {
  const world = new World();
  expect(await world.run({ "odd.md": "# Odd\n\n## Root cause\nNobody knows.\n" })).toBe(1);
  expect(world.err.join("")).toContain("it does not name what the cause was");
});

test("what a postmortem leaves out is named, with what to write", async () => {
  const world = new World();
  await world.run({
    "unnamed.md": "# Pool\n\n## Root cause\nThe connection pool of `payments` was too small.\n",
    "kindless.md": "# Cart\n\n## Root cause\nIt was service:cart, somehow.\n",
  });
  expect(world.err[0]).toContain("write the node's id in the section");
  expect(world.err[1]).toContain("add a line `kind: <kind>`, of change.code, change.config");
});

test("a name in backquotes is the node that has it, where only one has", async () => {
  const world = new World();
  const events = [
    edge(1, "service:payments", "service:cart"),
    edge(1, "workload:shop/cart", "host:a"),
  ];
  await new ModelLog(world.state).write({ id: "told", source: "test", events });
  const about = (name: string) =>
    `# Pool\n\nDate: 1970-01-01\n\n## Root cause\nThe pool of \`${name}\` was too small.\n\nkind: change.config\n`;
  expect(await world.run({ "a.md": about("payments"), "b.md": about("cart") })).toBe(1);
  expect(world.out).toEqual(["a: change.config at service:payments is remembered"]);
  expect(world.err[0]).toContain("`cart` in the section `Root cause` could be");
  expect(world.err[0]).toContain("service:cart, workload:shop/cart: write the id");
});

test("an untouched draft, and a cause that nobody knows, are not remembered", async () => {
  const world = new World();
  const incident = { id: "i", node: "service:cart", kind: "change.config", resolution: "" };
  const files = {
    "untouched.json": JSON.stringify(incident),
    "unknown.json": JSON.stringify({
      ...incident,
      node: "external:unknown",
      resolution: "it went",
    }),
  };
  expect(await world.run(files, fromIncident)).toBe(1);
  expect(world.err[0]).toContain("$.resolution is empty, as in a draft that nobody completed");
  expect(world.err[1]).toContain("external:unknown is no cause that can be remembered: write the");
  expect(world.out).toEqual([]);
});

test("a kind that is none is refused with the nearest, also one that every object has", async () => {
  const world = new World();
  const incident = (kind: string) => JSON.stringify({ id: "i", node: "service:cart", kind });
  const files = { "a.json": incident("change.confg"), "b.json": incident("constructor") };
  expect(await world.run(files, fromIncident)).toBe(1);
  expect(world.err[0]).toContain("did you mean change.config?");
  expect(world.err[1]).toContain("constructor is no kind of cause; there are change.code");
});
