/** Pictures of a chain of causes: the same every time, complete in words, and no name breaks out of its label. */
import { expect, test } from "vitest";
import { layOut } from "../../../../src/adapters/graph-layout/index.ts";
import {
  boxOf,
  mermaidOf,
  type Picture,
  pictureOfAnswer,
  svgOf,
} from "../../../../src/model/index.ts";
import { answer, symptom } from "./chain.ts";

const picture = pictureOfAnswer(answer, symptom);

test("the chain is drawn from what changed to what is complained about", () => {
  expect(picture.nodes.map(({ id, emphasis }) => [id, emphasis])).toEqual([
    ["deploy:shop-42", "change"],
    ["config:shop/pool", "cause"],
    ["service:cart", "path"],
    ["service:front", "symptom"],
    ["service:payment", "context"],
  ]);
  expect(
    picture.edges.filter(({ isOnPath }) => isOnPath).map(({ from, to }) => [from, to]),
  ).toEqual([
    ["deploy:shop-42", "config:shop/pool"],
    ["config:shop/pool", "service:cart"],
    ["service:cart", "service:front"],
  ]);
  expect(picture.nodes[1]?.note).toBe(
    "93 %, since 10:05:00Z: a configuration value was changed to one that fails",
  );
  expect(picture.moment).toBe("as of 2026-05-04T10:12:00.000Z");
});

test("an answer without a cause says so, and draws the symptom", () => {
  const none = pictureOfAnswer({ ...answer, verdict: "insufficient", causes: [] }, symptom);
  expect(none.title).toBe("Not enough is known to explain service:front");
  expect(none.nodes.map(({ id }) => id)).toEqual(["service:front"]);
});

test("boxes do not overlap, and stand inside the picture", () => {
  const layout = layOut(picture);
  const boxes = picture.nodes.map((node) => ({ ...boxOf(node), ...layout.nodes.get(node.id) }));
  for (const [i, one] of boxes.entries()) {
    expect(one.x ?? 0).toBeGreaterThanOrEqual(one.width / 2);
    expect((one.x ?? 0) + one.width / 2).toBeLessThanOrEqual(layout.width);
    for (const other of boxes.slice(i + 1)) {
      const apartX = Math.abs((one.x ?? 0) - (other.x ?? 0)) >= (one.width + other.width) / 2;
      const apartY = Math.abs((one.y ?? 0) - (other.y ?? 0)) >= (one.height + other.height) / 2;
      expect(apartX || apartY).toBe(true);
    }
  }
});

test("the same picture every time, with its content in words", () => {
  const svg = svgOf(picture, layOut(picture));
  expect(svgOf(pictureOfAnswer(answer, symptom), layOut(picture))).toBe(svg);
  expect(svg).toContain("shop-42 to shop/pool (changed_by): it set pool.max from 20 to 1");
  expect(svg).not.toMatch(/NaN|undefined/);
});

test("Mermaid has a line for each node and edge", () => {
  const lines = mermaidOf(picture).split("\n");
  expect(lines.filter((line) => /^ {2}n\d+\["/.test(line))).toHaveLength(picture.nodes.length);
  expect(lines.filter((line) => line.includes("==>"))).toHaveLength(3);
});

test.each([
  ['"]; click n0 call alert() %%', "Mermaid"],
  ["</text><script>alert(1)</script>", "SVG"],
  ["\u0000\u001b[2J\u202e\ud800", "control characters"],
  ["x".repeat(5_000), "length"],
  ["__proto__", "prototype"],
])("a node named %j breaks nothing (%s)", (name) => {
  const hostile: Picture = {
    ...picture,
    title: name,
    nodes: [
      { id: `service:${name}`, kind: "service", name, emphasis: "cause", note: name },
      { id: "service:b", kind: "service", name: "b", emphasis: "symptom", note: "" },
    ],
    edges: [
      { from: `service:${name}`, to: "service:b", kind: "calls", isOnPath: true, note: name },
      { from: "service:nowhere", to: "service:b", kind: "calls", isOnPath: true, note: "" },
    ],
  };
  const svg = svgOf(hostile, layOut(hostile));
  expect(svg).not.toMatch(/<script|NaN/);
  expect([...svg.matchAll(/<g /g)]).toHaveLength([...svg.matchAll(/<\/g>/g)].length);
  expect([...svg].filter((character) => character < " " && character !== "\n")).toEqual([]);
  for (const line of mermaidOf(hostile).split("\n").slice(2, 4))
    expect(line).toMatch(/^ {2}n\d+\["[^"]*"\]:::\w+$|^ {2}\S* ==>\|"[^"]*"\| \S*$/u);
});
