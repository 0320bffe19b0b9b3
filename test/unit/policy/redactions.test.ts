/** The redactions of a tool: for its listing and its results, before any call is judged. */
import { expect, test } from "vitest";
import { compile, loadPolicySet, type Obligation } from "../../../src/policy/index.ts";

const policy = `policy: p
rules:
- id: b
  match: { tools: "s:*" }
  outcome: sanitize
  obligations: [{ redact: args.x, with: remove }, { require: args.y, matches: a }]
- id: a
  match: { tools: [s:t, s:u], agents: nobody }
  outcome: sanitize
  obligations: [{ redact: args.z, with: remove }, { redact: args.x, with: remove }]
- { id: c, match: { tools: "o:*" }, outcome: allow }
`;

function redactions() {
  const { set } = loadPolicySet([{ path: "p.yaml", text: policy }]);
  if (!set) throw new Error("not loaded");
  return compile(set, "r").redactions;
}
const remove = (name: string): Obligation => ({
  ...{ kind: "redact", path: [name], replacement: { with: "remove" } },
});

test("of every rule that looks at the tool, by rule id, each once, and no requirements", () => {
  const of = redactions();
  expect(of("s:t")).toEqual([remove("z"), remove("x")]);
  expect(of("s:x")).toEqual([remove("x")]);
  expect(of("o:x")).toEqual([]);
});

test("names of up to 1,024 characters are remembered, 4,096 of them at most", () => {
  const of = redactions();
  const first = of("s:t");
  expect(of("s:t")).toBe(first);
  const long = (length: number): `s:${string}` => `s:${"x".repeat(length - 2)}`;
  expect(redactions()("s:u")).not.toBe(redactions()("s:u"));
  const tools = Array.from({ length: 4_094 }, (_, i): `s:${string}` => `s:t${i}`);
  const kept = of(long(1_024));
  expect(of(long(1_024))).toBe(kept);
  for (const tool of tools) of(tool);
  expect(of("s:t")).toBe(first);
  of(long(1_025));
  expect(of("s:t")).toBe(first);
  of("s:one-too-many");
  expect(of("s:t")).not.toBe(first);
});
