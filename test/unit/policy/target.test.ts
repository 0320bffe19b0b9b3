/** Which node of the runtime model a call concerns. */
import { expect, test } from "vitest";
import type { JsonObject, ToolId } from "../../../src/kernel/index.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { targetOf } from "../../../src/policy/target.ts";

const schemas = new Map<ToolId, JsonObject>([
  [
    "ops:scale" as ToolId,
    { type: "object", properties: { namespace: { type: "string" }, name: { type: "string" } } },
  ],
]);

function declared(fields: string) {
  const text = `tools:\n  ops:scale: { effect: write, ${fields} }\n`;
  const { set, diagnostics } = loadPolicySet([{ path: "c.yaml", text }], { toolSchemas: schemas });
  return {
    target: set?.tools[0]?.target,
    problems: diagnostics.map(({ code }) => code),
    diagnostics,
  };
}

test("a target is made of texts and arguments", () => {
  const { target, problems } = declared(
    'target: "workload:{args.namespace}/{args.name}", change: scale',
  );
  expect(problems).toEqual([]);
  expect(target).toEqual({
    kind: "workload",
    parts: [["namespace"], "/", ["name"]],
    change: "scale",
  });
  const of = (args: JsonObject) => target && targetOf(target, args);
  expect(of({ namespace: "shop", name: "cart" })).toBe("workload:shop/cart");
  expect(of({ namespace: 3, name: "cart" })).toBe("workload:3/cart");
  expect(of({ namespace: "shop" })).toBeUndefined();
  expect(of({ namespace: "shop", name: "" })).toBeUndefined();
  expect(of({ namespace: "shop", name: { a: 1 } })).toBeUndefined();
  expect(of({ namespace: "shop", name: 0.5 })).toBeUndefined();
  expect(of({ namespace: "shop", name: "n".repeat(2_000) })).toBeUndefined();
});

test("a target may be one node for ever, and says by itself that an agent changes it", () => {
  expect(declared("target: service:cart").target).toEqual({
    kind: "service",
    parts: ["cart"],
    change: "agent_action",
  });
});

test.each([
  ["a kind that is none", "target: sevice:cart", "bad-target"],
  ["no kind", "target: cart", "bad-target"],
  ["no name", '"target": "service:"', "bad-target"],
  ["a brace alone", 'target: "service:{args.name"', "bad-target"],
  ["an argument that is none", 'target: "service:{args.nam}"', "unknown-field"],
  ["every argument of a list", 'target: "service:{args.name[*]}"', "bad-path"],
  ["no argument", 'target: "service:{name}"', "bad-path"],
  ["a change of nothing", "change: scale", "missing-field"],
  ["a change that is none", "target: service:cart, change: scaling", "unknown-word"],
])("refused: %s", (_, fields, code) => {
  expect(declared(fields).problems).toContain(code);
});

test("the nearest kind is named", () => {
  expect(declared("target: sevice:cart").diagnostics[0]).toMatchObject({ nearest: "service" });
});
