/** The audit commands on a log that a real ledger wrote to a real folder. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { encodeBundle, HashTree, leafHash, signCheckpoint } from "../../../src/audit/index.ts";
import { registerAuditCommands } from "../../../src/cli/audit.ts";
import { openLedger } from "../../../src/ledger/index.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { decisionEntry, outcomeEntry } from "../ledger/entries.ts";

const signer = simSigner("gateway.example/log", new Random(1));
let folder = "";
let log = "";
let checkpoint = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-"));
  log = join(folder, "log");
  const origin = { instance: "i-1", site: "standalone", epoch: 0 };
  const opened = await openLedger({
    ...{ disk: openDisk(log), signer, clock: systemClock, origin },
    ...{ tenant: "t", holdfastVersion: "0.1.0" },
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  const ledger = opened.value;
  await ledger.append(decisionEntry("call-a"));
  await ledger.append(outcomeEntry("call-a", 1));
  await ledger.append(decisionEntry("call-b", "deny"));
  await ledger.append(decisionEntry("call-c"));
  checkpoint = ledger.head().checkpoint;
  await writeFile(join(folder, "receipt"), ledger.receipt(3) ?? "");
  await writeFile(join(folder, "checkpoint"), checkpoint);
  await ledger.close();
  await writeFile(join(folder, "key"), await readFile(join(log, "log.vkey")));
});

afterAll(() => rm(folder, { recursive: true }));

async function run(...args: readonly string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out.push(String(text));
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors.push(String(text));
    return true;
  });
  const program = new Command("holdfast").exitOverride();
  registerAuditCommands(program);
  try {
    await program.parseAsync(["node", "holdfast", "audit", ...args]);
    return { code: process.exitCode, out: out.join(""), errors: errors.join("") };
  } finally {
    process.exitCode = 0;
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

const file = (name: string): string => join(folder, name);

test("verify: 0 and the facts, with a key kept elsewhere and evidence", async () => {
  const done = await run(
    ...["verify", log, "--key", file("key"), "--receipt", file("receipt")],
    ...["--checkpoint", file("checkpoint")],
  );
  expect(done).toMatchObject({ code: 0, errors: "" });
  expect(done.out).toContain("verified: gateway.example/log, 5 entries");
  expect(done.out).toContain("allow 2");
});

test("verify --json is one object; without --key it says whose key it used", async () => {
  const { code, out } = await run("verify", log, "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ ok: true, size: 5, key_is_its_own: true, findings: [] });
});

test("verify a receipt alone", async () => {
  const alone = await run("verify", "--receipt", file("receipt"), "--key", file("key"));
  expect(alone.code).toBe(0);
  expect(alone.out).toContain('"call":"call-b"');
  await writeFile(
    file("forged"),
    (await readFile(file("receipt"), "utf8")).replace("index 3", "index 2"),
  );
  const forged = await run("verify", "--receipt", file("forged"), "--key", file("key"));
  expect(forged).toMatchObject({ code: 1 });
  expect((await run("verify", "--receipt", file("receipt"))).code).toBe(2);
});

test("show: filters, the table, and calls without an outcome", async () => {
  const all = await run("show", log, "--json");
  expect(all.out.trim().split("\n")).toHaveLength(5);
  const cases: readonly (readonly [string[], string[]])[] = [
    [
      ["--call", "call-a"],
      ["1", "2"],
    ],
    [["--decision", "deny"], ["3"]],
    [
      ["--agent", "agent-1", "--tool", "files:read"],
      ["1", "3", "4"],
    ],
    [["--agent", "nobody"], []],
    [["--unknown"], ["4"]],
  ];
  for (const [filter, indexes] of cases) {
    const { code, out } = await run("show", log, ...filter);
    expect(code).toBe(0);
    const rows = out.trim().split("\n").slice(1);
    expect(rows.map((row) => row.split(" ")[0])).toEqual(indexes);
  }
  expect((await run("show", log, "--unknown")).out).toContain("unknown");
});

test("tail prints the newest", async () => {
  const { code, out } = await run("tail", log, "-n", "2", "--json");
  expect(code).toBe(0);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([{ index: 3 }, { index: 4, call: "call-c" }]);
  expect((await run("tail", log, "-n", "zero")).code).toBe(2);
});

test("prove by index and by call; the receipt verifies", async () => {
  for (const what of ["3", "call-b"]) {
    const { code, out } = await run("prove", log, what);
    expect(code).toBe(0);
    await writeFile(file("proof"), out);
    const verified = await run("verify", "--receipt", file("proof"), "--key", file("key"));
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.out).toContain("entry 3");
  }
  for (const what of ["99", "call-z"]) expect((await run("prove", log, what)).code).toBe(2);
});

test("what an agent or a foreign log holds cannot act on a terminal, and JSON stays the same", async () => {
  const odd = "\u009b31m\u202e\u{e0041}\u0007";
  const other = join(folder, "odd");
  const origin = { instance: "i-1", site: "standalone", epoch: 0 };
  const opened = await openLedger({
    ...{ disk: openDisk(other), signer, clock: systemClock, origin },
    ...{ tenant: "t", holdfastVersion: "0.1.0" },
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  await opened.value.append({ ...decisionEntry("call-a", "deny"), agent_id: odd, reason: odd });
  await writeFile(file("odd-receipt"), opened.value.receipt(1) ?? "");
  await opened.value.close();
  const shown = await run("show", other);
  const json = await run("show", other, "--json");
  const receipt = await run("verify", "--receipt", file("odd-receipt"), "--key", file("key"));
  for (const { out, errors } of [shown, json, receipt])
    expect(out + errors).not.toMatch(/[^\P{C}\n]/u);
  expect(JSON.parse(json.out.trim().split("\n")[1] ?? "")).toMatchObject({ agent_id: odd });
  expect(JSON.parse(receipt.out.trim().split("\n")[1] ?? "")).toMatchObject({ reason: odd });
});

test("--opaque verifies tree and signatures of a log whose entries are not ours", async () => {
  const foreign = join(folder, "foreign");
  const leaf = Buffer.from("not JSON");
  const tree = new HashTree();
  tree.append(leafHash(leaf));
  const disk = openDisk(foreign);
  await disk.replace("checkpoint", Buffer.from(signCheckpoint(1, tree.root(), signer)));
  await disk.replace("tile/0/000.p/1", tree.tile(0, 0, 1));
  await disk.replace("tile/entries/000.p/1", encodeBundle([leaf]));
  const key = ["--key", file("key")];
  expect((await run("verify", foreign, ...key)).errors).toContain("bad_entry");
  const verified = await run("verify", foreign, ...key, "--opaque");
  expect(verified).toMatchObject({ code: 0, errors: "" });
  expect(verified.out).toContain("1 entries");
  await disk.replace("tile/entries/000.p/1", encodeBundle([Buffer.from("not JSOM")]));
  expect((await run("verify", foreign, ...key, "--opaque")).code).toBe(1);
});

test("wrong usage and what cannot be read is 2", async () => {
  expect((await run("verify", file("nowhere"))).code).toBe(2);
  expect((await run("verify", log, "--key", file("nowhere"))).code).toBe(2);
  expect((await run("verify", log, "--receipt", file("nowhere"))).code).toBe(2);
  expect((await run("verify")).code).toBe(2);
});

test("tampered is 1, for every command that verifies, and says where and what to do", async () => {
  const bundle = join(log, "tile/entries/000.p/5");
  const bytes = await readFile(bundle);
  await writeFile(bundle, bytes.toString("latin1").replace("call-b", "call-x"), "latin1");
  const done = await run("verify", log);
  expect(done.code).toBe(1);
  expect(done.errors).toContain("entry 3 was edited");
  expect(done.errors).toContain("do: ");
  expect((await run("show", log)).code).toBe(1);
  expect((await run("prove", log, "1")).code).toBe(1);
  await writeFile(bundle, bytes);
  expect((await run("verify", log)).code).toBe(0);
  await appendFile(bundle, "\0\0");
  expect((await run("verify", log)).code).toBe(1);
  await writeFile(bundle, bytes);
});
