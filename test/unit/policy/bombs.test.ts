/** Texts made to be expensive are refused before they are. */
import { expect, test } from "vitest";
import { loadPolicySet } from "../../../src/policy/index.ts";
import { withCondition } from "./mistake.ts";

const bombs: readonly [string, string][] = [
  ["deep lists", "[".repeat(100_000)],
  ["deep maps", "{a: ".repeat(50_000)],
  ["many keys", Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join("\n")],
  ["deep conditions", withCondition(`"${"(".repeat(4_000)}"`)],
  ["long conditions", withCondition(`"${"!".repeat(100_000)}true"`)],
  ["a large pattern", withCondition("args.currency.matches('((a{100}){100}){100}')")],
];

for (const [what, text] of bombs)
  test(`${what} are refused soon`, () => {
    const { diagnostics } = loadPolicySet([{ path: "p.yaml", text }], {});
    expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
  });
