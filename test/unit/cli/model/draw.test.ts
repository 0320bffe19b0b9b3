/** `holdfast model draw` over a small graph. */
import { expect, test } from "vitest";
import { type DrawOptions, draw } from "../../../../src/cli/model/draw.ts";
import { Graph } from "../../../../src/model/index.ts";

const at = Date.UTC(2026, 4, 4);
const origin = { source: "test", reference: "x" };
const graph = new Graph();
graph.add([
  {
    ...{ type: "edge", id: "1", at, knownAt: at + 5, origin, from: "service:a", to: "service:b" },
    ...{ kind: "calls", basis: "observed" },
  },
]);

async function run(name: string, options: Partial<DrawOptions> = {}) {
  const lines = { out: [] as string[], err: [] as string[] };
  const io = {
    out: (line: string) => void lines.out.push(line),
    err: (line: string) => void lines.err.push(line),
  };
  const code = await draw({ graph, nowMs: at + 10 }, name, { depth: "2", ...options }, io);
  return { code, out: lines.out.join("\n"), err: lines.err.join("\n") };
}

test("draws by name or id, as SVG unless something else is asked for", async () => {
  expect((await run("a")).out).toContain("<svg");
  expect((await run("service:a", { format: "mermaid" })).out).toContain("flowchart LR");
  expect(JSON.parse((await run("b", { format: "json" })).out).nodes).toHaveLength(2);
});

test.each<[string, Partial<DrawOptions>, string]>([
  ["a", { knownAt: "2026-05-04T00:00:00.001Z" }, "knows nothing named `a`"],
  ["a", { depth: "0" }, "--depth: 1 to 6, not `0`"],
  ["a", { depth: "many" }, "--depth: 1 to 6"],
  ["latency", {}, "`latency` names no node"],
  ["a", { format: "png" }, "`png` is no format"],
])("%s %j is refused", async (name, options, message) => {
  const { code, err } = await run(name, options);
  expect(err).toContain(message);
  expect(code).toBe(2);
});
