/**
 * AG-403 4.6, 4.7, 4.9: a pack is byte-reproducible and verified offline, by us and by a second implementation that shares
 * no code (Go, standard library). Both reject each tampering.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArchive, writeArchive } from "../../../src/adapters/bundle/index.ts";
import { parseVkey } from "../../../src/audit/index.ts";
import { type PackFiles, verifyPack } from "../../../src/failover/index.ts";
import { evidence, journal, record } from "../../unit/failover/evidence/evidence.ts";
import { logFiles, packed, relisted, signers, vkeyOf } from "./packed.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-evidence-"));
const program = join(folder, "verify-evidence");
const key = vkeyOf(signers.pack);
const state: { logs: PackFiles; other: PackFiles } = { logs: new Map(), other: new Map() };

beforeAll(async () => {
  const built = spawnSync("go", ["build", "-o", program, "test/foreign/verify-evidence.go"], {
    env: { ...process.env, GO111MODULE: "off", GOCACHE: join(folder, "cache") },
    encoding: "utf8",
  });
  expect(built.status, built.stderr || String(built.error)).toBe(0);
  // Two full tiles and a part.
  state.logs = await logFiles(600);
  state.other = await logFiles(599);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Verdicts {
  readonly own: readonly string[];
  readonly foreign: { readonly status: number | null; readonly said: string };
}

async function judged(files: PackFiles): Promise<Verdicts> {
  const archive = await writeArchive(files);
  const path = join(folder, "pack.tar");
  writeFileSync(path, archive);
  const { status, stdout, stderr } = spawnSync(program, [path, key], { encoding: "utf8" });
  const verifier = parseVkey(key);
  if (!verifier.ok) throw new Error(verifier.error);
  const read = await readArchive(archive);
  const report = read.ok ? await verifyPack(read.value, [verifier.value]) : read;
  const own = report.ok ? report.value.problems : [JSON.stringify(report.error)];
  return { own, foreign: { status, said: stdout + stderr } };
}

test("both accept the pack, and it is the same bytes every time", async () => {
  const files = packed(state.logs);
  expect(await judged(files)).toEqual({
    own: [],
    foreign: { status: 0, said: `verified: ${files.size} files, 1 failovers, 600 log entries\n` },
  });
  const once = await writeArchive(packed(state.logs));
  expect(Buffer.compare(once, await writeArchive(packed(state.logs)))).toBe(0);
});

type Tampering = readonly [string, () => PackFiles];

const changed = (
  change: (files: Map<string, Uint8Array>) => void,
  after: (files: Map<string, Uint8Array>) => PackFiles = (files) => files,
): PackFiles => {
  const files = packed(state.logs);
  change(files);
  return after(files);
};

const flipped = (bytes: Uint8Array | undefined, at: number): Uint8Array => {
  const copy = Buffer.from(bytes ?? []);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

const paths = [
  ...["VERIFY.md", "grt.json", "parity.json", "probes.json", "keys/dub.vkey", "keys/guard.vkey"],
  ...["records/fo-1.json", "drills/dr-1.json", "manifests/7.json", "oscal/assessment-results.json"],
  ...["logs/dub/checkpoint", "logs/dub/tile/entries/000", "logs/dub/tile/entries/001"],
  ...["logs/dub/tile/entries/002.p/88", "logs/dub/tile/0/000"],
];

/** From outside: without the maker's key. */
const outside: readonly Tampering[] = [
  ...paths.map(
    (path): Tampering => [
      `one bit of ${path}`,
      () => changed((files) => files.set(path, flipped(files.get(path), 7))),
    ],
  ),
  ...paths.map(
    (path): Tampering => [`${path} is gone`, () => changed((files) => files.delete(path))],
  ),
  [
    "a file more",
    () => changed((files) => files.set("reports/dora.md", Buffer.from("all is well"))),
  ],
  [
    "a file under another name",
    () =>
      changed((files) => {
        files.set("records/fo-2.json", files.get("records/fo-1.json") ?? new Uint8Array());
        files.delete("records/fo-1.json");
      }),
  ],
  [
    "two files exchanged",
    () =>
      changed((files) => {
        const [a, b] = [files.get("grt.json"), files.get("parity.json")];
        files.set("grt.json", b ?? new Uint8Array());
        files.set("parity.json", a ?? new Uint8Array());
      }),
  ],
  [
    "a file cut at its end",
    () =>
      changed((files) =>
        files.set("grt.json", (files.get("grt.json") ?? new Uint8Array()).slice(0, -1)),
      ),
  ],
  ["no list", () => changed((files) => files.delete("pack.json"))],
  [
    "a bit of the list",
    () => changed((files) => files.set("pack.json", flipped(files.get("pack.json"), 60))),
  ],
  [
    "the list of another day",
    () =>
      changed((files) =>
        files.set(
          "pack.json",
          packed(state.logs, {
            evidence: evidence({
              asOf: "2026-05-05T00:00:00.000Z",
              records: [record({ cause: "another" })],
            }),
          }).get("pack.json") ?? new Uint8Array(),
        ),
      ),
  ],
  [
    "the list unsigned",
    () =>
      changed((files) =>
        files.set(
          "pack.json",
          Buffer.from(
            Buffer.from(files.get("pack.json") ?? "")
              .toString()
              .replace(/"signatures":\[.*\]/, '"signatures":[]'),
          ),
        ),
      ),
  ],
  [
    "the list as a drill",
    () =>
      changed((files) =>
        files.set(
          "pack.json",
          Buffer.from(
            Buffer.from(files.get("pack.json") ?? "")
              .toString()
              .replace("evidence-pack", "drill"),
          ),
        ),
      ),
  ],
];

/** From inside: whoever holds the maker's key lists and signs anew. What others signed still shows it. */
const inside: readonly Tampering[] = [
  [
    "one bit of a journal",
    () =>
      changed(
        (files) => files.set("drills/dr-1.json", flipped(files.get("drills/dr-1.json"), 40)),
        relisted,
      ),
  ],
  [
    "one bit of the manifest",
    () =>
      changed(
        (files) => files.set("manifests/7.json", flipped(files.get("manifests/7.json"), 40)),
        relisted,
      ),
  ],
  ["a journal signed by a stranger", () => packed(state.logs, { journalSigner: signers.stranger })],
  [
    "a manifest signed by a stranger",
    () => packed(state.logs, { manifestSigner: signers.stranger }),
  ],
  [
    "a journal in the place of the manifest",
    () =>
      changed(
        (files) => files.set("manifests/7.json", files.get("drills/dr-1.json") ?? new Uint8Array()),
        relisted,
      ),
  ],
  [
    "one bit of an entry",
    () =>
      changed(
        (files) =>
          files.set(
            "logs/dub/tile/entries/001",
            flipped(files.get("logs/dub/tile/entries/001"), 999),
          ),
        relisted,
      ),
  ],
  [
    "an entry less",
    () =>
      changed(
        (files) =>
          files.set(
            "logs/dub/tile/entries/002.p/88",
            (files.get("logs/dub/tile/entries/002.p/88") ?? new Uint8Array()).slice(0, -100),
          ),
        relisted,
      ),
  ],
  [
    "a tile of entries less",
    () => changed((files) => files.delete("logs/dub/tile/entries/000"), relisted),
  ],
  [
    "the checkpoint of another log",
    () =>
      changed(
        (files) =>
          files.set(
            "logs/dub/checkpoint",
            state.other.get("logs/dub/checkpoint") ?? new Uint8Array(),
          ),
        relisted,
      ),
  ],
  [
    "one bit of the checkpoint",
    () =>
      changed(
        (files) => files.set("logs/dub/checkpoint", flipped(files.get("logs/dub/checkpoint"), 30)),
        relisted,
      ),
  ],
  ["no checkpoint", () => changed((files) => files.delete("logs/dub/checkpoint"), relisted)],
  [
    "the key of the log is another",
    () =>
      packed(state.logs, {
        keys: new Map([
          ["guard", vkeyOf(signers.guard)],
          ["dub", vkeyOf(signers.stranger)],
        ]),
      }),
  ],
  [
    "no key of the log",
    () => packed(state.logs, { keys: new Map([["guard", vkeyOf(signers.guard)]]) }),
  ],
  [
    "no key of the journals",
    () => packed(state.logs, { keys: new Map([["dub", vkeyOf(signers.log)]]) }),
  ],
  [
    "a key with the id of another",
    () =>
      changed(
        (files) =>
          files.set(
            "keys/guard.vkey",
            Buffer.from(vkeyOf(signers.guard).replace(/\+[0-9a-f]{8}\+/, "+00000000+")),
          ),
        relisted,
      ),
  ],
  [
    "a record of a later entry than the log has",
    () => packed(state.logs, { evidence: evidence({ records: [record({ last_index: 600 })] }) }),
  ],
  [
    "a journal of a later entry than the log has",
    () => {
      const one = journal("dr-1");
      return packed(state.logs, {
        evidence: evidence({ drills: [{ ...one, holdfast: { ...one.holdfast, log_index: 600 } }] }),
      });
    },
  ],
  ["no log at all", () => packed(new Map())],
  [
    "a better recovery time in the series",
    () =>
      changed(
        (files) =>
          files.set(
            "grt.json",
            Buffer.from(
              Buffer.from(files.get("grt.json") ?? "")
                .toString()
                .replace('"grt_ms":22000', '"grt_ms":2200'),
            ),
          ),
        relisted,
      ),
  ],
  [
    "a failover less in the series",
    () => changed((files) => files.set("grt.json", Buffer.from("[]")), relisted),
  ],
  [
    "a failover more in the series",
    () =>
      changed(
        (files) =>
          files.set(
            "grt.json",
            Buffer.from(
              Buffer.from(files.get("grt.json") ?? "")
                .toString()
                .replace(/^\[(.*)\]$/, "[$1,$1]"),
            ),
          ),
        relisted,
      ),
  ],
  ["a record less", () => changed((files) => files.delete("records/fo-1.json"), relisted)],
];

test("there are at least 50 tamperings", () => {
  expect(outside.length + inside.length).toBeGreaterThanOrEqual(50);
});

test.each([...outside, ...inside])("rejected by both: %s", async (_, tampered) => {
  const { own, foreign } = await judged(tampered());
  expect(own).not.toEqual([]);
  expect(foreign.status, foreign.said).not.toBe(0);
});

test("without the right key nothing is accepted", async () => {
  const other = parseVkey(vkeyOf(signers.stranger));
  if (!other.ok) throw new Error(other.error);
  expect((await verifyPack(packed(state.logs), [other.value])).ok).toBe(false);
});
