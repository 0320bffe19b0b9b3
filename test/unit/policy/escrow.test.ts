/** Escrow by policy: what it holds back, what is refused when it is loaded, and that a bundle carries it. */
import { expect, test } from "vitest";
import {
  buildBundle,
  compile,
  formatDiagnostic,
  loadPolicySet,
  type PolicySet,
  revisionOf,
} from "../../../src/policy/index.ts";

const rules = `policy: p
rules:
  - { id: all, match: { effect: read }, outcome: allow }
`;
const tools = `tools:
  pay:create: { effect: write }
  pay:list: { effect: read }
  files:write: { effect: write }
agents: { desk: {}, clerk: {} }
`;

function load(escrow: string): ReturnType<typeof loadPolicySet> {
  return loadPolicySet([{ path: "p.yaml", text: tools + escrow + rules }]);
}

function loaded(escrow: string): PolicySet {
  const { set, diagnostics } = load(escrow);
  expect(diagnostics.map(formatDiagnostic)).toEqual([]);
  if (!set) throw new Error("not loaded");
  return set;
}

const declared = `escrow:
  - { match: { tools: "pay:*", agents: desk }, reason: Migration }
  - { match: { tools: files:write }, reason: Disk is being replaced }
`;

test("a write is held back when tool and any agent of its chain fit", () => {
  const engine = compile(loaded(declared), "r");
  expect(engine.escrowOf(["desk"], "pay:create")).toEqual({
    match: { tools: ["pay:*"], agents: ["desk"] },
    reason: "Migration",
    source: "p.yaml:7",
  });
  expect(engine.escrowOf(["clerk", "desk"], "pay:create")?.reason).toBe("Migration");
  expect(engine.escrowOf(["clerk"], "pay:create")).toBeUndefined();
  expect(engine.escrowOf(["clerk"], "files:write")?.reason).toBe("Disk is being replaced");
  expect(compile(loaded(""), "r").escrowOf(["desk"], "pay:create")).toBeUndefined();
});

test("without a match it holds back every write", () => {
  const engine = compile(loaded("escrow: [{ reason: All of it }]\n"), "r");
  expect(engine.escrowOf(["clerk"], "pay:create")?.reason).toBe("All of it");
});

test("it is part of the set: another revision, carried by the bundle; a set without it is as it was", () => {
  const [plain, held] = [loaded(""), loaded(declared)];
  expect("escrow" in plain).toBe(false);
  expect(revisionOf(held)).not.toBe(revisionOf(plain));
  const document = buildBundle(held, { serial: 1 }).get("data.json");
  expect(JSON.parse(new TextDecoder().decode(document)).holdfast.policy.escrow).toEqual(
    held.escrow,
  );
});

test.each([
  ["escrow:\n  - { match: { tools: pay:create } }\n", "an escrow needs reason"],
  ["escrow:\n  - { reason: x, match: { tools: pay:creat } }\n", "pay:creat"],
  ["escrow:\n  - { reason: x, match: { agents: dsk } }\n", "dsk"],
  ["escrow:\n  - { reason: x, match: { effect: read } }\n", "effect does not go with it"],
  ["escrow:\n  - { reason: x, tools: pay:create }\n", 'an escrow has no field "tools"'],
  ["escrow: { reason: x }\n", "expected a list"],
])("%j is refused", (text, words) => {
  const { set, diagnostics } = load(text);
  expect(set).toBeUndefined();
  expect(diagnostics.map(formatDiagnostic).join("\n")).toContain(words);
});
