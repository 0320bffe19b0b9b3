/** A recorded search under the audit commands, on a log that a real ledger wrote. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { parseProof } from "../../../src/audit/index.ts";
import { prove } from "../../../src/cli/audit-prove.ts";
import { type ShowOptions, show } from "../../../src/cli/audit-show.ts";
import { openLedger } from "../../../src/ledger/index.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { decisionEntry, searchEntry } from "../ledger/entries.ts";

let log = "";

beforeAll(async () => {
  log = await mkdtemp(join(tmpdir(), "audit-search-"));
  const opened = await openLedger({
    ...{ disk: openDisk(log), signer: simSigner("gateway.example/log", new Random(1)) },
    ...{ clock: systemClock, tenant: "t", holdfastVersion: "0.1.0" },
    origin: { instance: "i-1", site: "standalone", epoch: 0 },
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  await opened.value.append(decisionEntry("call-a", "deny"));
  await opened.value.append(searchEntry("call-s"));
  await opened.value.close();
});

afterAll(() => rm(log, { recursive: true }));

async function output(command: () => Promise<number>): Promise<string> {
  const out: string[] = [];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out.push(String(text));
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    expect(await command()).toBe(0);
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
  return out.join("");
}

test("show: one line that says who searched, and found by that agent and its call alone", async () => {
  const shown = (options: ShowOptions): Promise<string> => output(() => show(log, options));
  const row = /^2 .* search +- +pep +search\/subject +call-s +2 of 7 candidates$/m;
  expect(await shown({})).toMatch(row);
  expect(await shown({ agent: "pep" })).toMatch(row);
  expect(await shown({ call: "call-s" })).toMatch(row);
  for (const options of [
    { agent: "agent-1" },
    { agent: "pep", decision: "allow" },
    { agent: "pep", tool: "files:read" },
    { unknown: true },
  ])
    expect(await shown(options)).not.toContain("search");
});

test("prove: the receipt of a search can be made again", async () => {
  const proof = parseProof(await output(() => prove(log, "call-s", undefined)));
  expect(proof.ok && proof.value.index).toBe(2);
});
