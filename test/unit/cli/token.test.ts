import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { registerTokenCommands } from "../../../src/cli/token.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await rm(folder, { recursive: true });
});

/** Runs `holdfast token …` here and returns what it wrote, standard error included. */
async function token(...words: string[]): Promise<string> {
  const lines: string[] = [];
  const keep = (text: unknown): boolean => lines.push(String(text)) > 0;
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
  const program = new Command("holdfast").exitOverride();
  registerTokenCommands(program);
  await program.parseAsync(["token", ...words, "--key", join(folder, "key.json")], {
    from: "user",
  });
  return lines.join("");
}

test("a minted token is accepted by inspect, and refused where it does not belong", async () => {
  const minted = (
    await token("mint", "--agent", "a", "--sub", "ann", "--act", "b", "c", "--ttl", "15m")
  ).trim();
  expect(await token("inspect", minted)).toContain(
    'accepted: {"agent":"a","principal":"ann","tenant":"default","delegation":["b","c"]',
  );
  expect(process.exitCode).toBeUndefined();
  expect(await token("inspect", minted, "--audience", "elsewhere")).toContain(
    "refused: wrong_audience",
  );
  expect(process.exitCode).toBe(1);
  expect(await token("keys")).not.toContain('"d"');
});

test("a token that no gateway would accept is not handed out", async () => {
  const said = await token("mint", "--agent", "a", "--act", "b", "b");
  expect(said).toMatch(/^delegation_cycle: /);
  expect(process.exitCode).toBe(1);
});
