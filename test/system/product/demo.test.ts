/** The demonstration is itself a test: it ends with 0 only when every step was as expected. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { freeRow, root } from "./harness.ts";

async function demo(policies?: string): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(root, "tools/demo.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      HOLDFAST_DEMO_PORT: String(await freeRow(3)),
      ...(policies === undefined ? {} : { HOLDFAST_DEMO_POLICIES: policies }),
    },
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  return { said: await text(child.stdout), code: await ended };
}

test("every step as expected: 0", async () => {
  const { code, said } = await demo();
  expect(said).toContain("✓ every call, its record and its receipt agree");
  expect(said).toContain("✓ the record of the payment names who approved it");
  expect(said.match(/^✓ (\w+) /gm)?.map((line) => line.trim().slice(2))).toEqual([
    ...["allow", "allow", "deny", "sanitize", "approval_needed", "declined"],
    ...["approval_needed", "allow", "override_replayed", "every", "the"],
  ]);
  expect(code).toBe(0);
});

test("a policy under which one step ends differently: not 0, and the step is marked", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-demo-policies-"));
  cpSync(join(root, "examples/policies"), folder, { recursive: true });
  const file = join(folder, "payments.yaml");
  const moved = readFileSync(file, "utf8").replaceAll("5000", "80000");
  writeFileSync(file, moved);
  const { code, said } = await demo(folder);
  rmSync(folder, { recursive: true });
  expect(said).toContain("✗ sanitize          pay 75,000 EUR");
  expect(said).toContain("5 of 9 steps were not as expected");
  expect(code).toBe(1);
});
