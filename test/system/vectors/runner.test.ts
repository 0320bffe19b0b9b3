/** The runner of public test vectors, on vectors of our own: it must see what is wrong, and what is no longer true. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { declined, passed } from "../../../tools/vectors/case.ts";
import { renderTable, runSets, type SetReport } from "../../../tools/vectors/report.ts";
import { readList, tally } from "../../../tools/vectors/review.ts";
import { vectorSets } from "../../../tools/vectors/sets.ts";
import { ownVectors, reviewedList, writeVectors } from "./own-vectors.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-vectors-"));
const list = join(folder, "list.json");

beforeAll(() => {
  writeVectors(folder);
  writeFileSync(list, JSON.stringify(reviewedList()));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (name?: string): Promise<readonly SetReport[]> =>
  runSets(
    vectorSets.filter((set) => name === undefined || set.name === name),
    folder,
    reviewedList(),
  );

test("every set has vectors of our own", () => {
  expect(Object.keys(ownVectors)).toEqual(vectorSets.map(({ name }) => name));
});

test.each(Object.entries(ownVectors))(
  "%s: true vectors hold, a wrong one is seen",
  async (name, own) => {
    const [report] = await run(name);
    expect(report?.failures).toEqual([]);
    if (own.plant === undefined) return;
    expect(report?.passed).toBeGreaterThan(0);
    const { file, from, to } = own.plant;
    const path = join(folder, file);
    const before = readFileSync(path, "utf8");
    expect(before).toContain(from);
    writeFileSync(path, before.replace(from, to));
    const [planted] = await run(name);
    writeFileSync(path, before);
    expect(planted?.failed).toBeGreaterThan(0);
  },
);

test("what is declined needs a reason, and a reason needs what it was given for", () => {
  const cases = [passed("a"), declined("b/1", "too_old"), declined("b/2", "too_old")];
  const entry = { because: "too_old", cases: ["b/*"], count: 2, reason: "…" };
  expect(tally(cases, [entry])).toMatchObject({ passed: 1, notApplicable: 2, failed: 0 });
  expect(tally(cases, []).failures[0]).toMatch(/^b\/1: too_old/);
  expect(tally(cases, [{ ...entry, cases: ["b/1"], count: 1 }]).failures[0]).toMatch(/^b\/2/);
  expect(tally(cases, [{ ...entry, because: "other" }]).failures).toHaveLength(3);
  expect(tally(cases, [{ ...entry, count: 3 }]).failures[0]).toMatch(/covers 2 cases, not 3/);
  expect(tally([passed("b/1")], [entry]).failures[0]).toMatch(/stale entry/);
  expect(tally([], []).failures).toEqual(["it has no cases"]);
});

test("a set that is not there, or cannot be read, fails and says what was looked for", async () => {
  const [set] = vectorSets;
  const [report] = await runSets(set ? [set] : [], "/nowhere", {});
  expect(report?.failures[0]).toMatch(/^\/nowhere\/merkle-rfc6962 is not there; it holds .*merkle/);
  const throwing = { name: "x", path: ".", source: "", run: (): never => fail("no JSON") };
  const [broken] = await runSets([throwing], folder, {});
  expect(broken?.failures[0]).toMatch(/no JSON/);
  expect(renderTable(broken ? [broken] : [])).toMatch(/^\| x .* 1 \|$/m);
});

function fail(message: string): never {
  throw new Error(message);
}

function command(...args: readonly string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["tools/vectors/run.ts", ...args],
    { encoding: "utf8" },
  );
  return { status, out: stdout, err: stderr };
}

test("the command: exit 0 when all is well, 1 when something failed, 2 when it was called wrongly", () => {
  const few = ["--set", "merkle-rfc6962", "--set", "jwk-thumbprints"];
  const good = command(folder, ...few, "--list", list, "--json");
  expect(good).toMatchObject({ status: 0, err: "" });
  expect(JSON.parse(good.out)).toHaveLength(2);
  const wrong = command(folder, ...few);
  expect(wrong.status, "the list of the repository is for the public vectors").toBe(1);
  expect(wrong.out).toMatch(/stale entry of the reviewed list/);
  expect(command(join(folder, "absent"))).toMatchObject({ status: 2 });
  expect(command(folder, "--set", "mercle-rfc6962").err).toMatch(/did you mean merkle-rfc6962/);
});

test("the reviewed list of the repository says why, for sets that exist", () => {
  const known = vectorSets.map(({ name }) => name);
  for (const [name, entries] of Object.entries(readList("tools/vectors/not-applicable.json"))) {
    expect(known).toContain(name);
    for (const { reason, count } of entries) {
      expect(reason.length, reason).toBeGreaterThan(30);
      expect(count).toBeGreaterThan(0);
    }
  }
});
