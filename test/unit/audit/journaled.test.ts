/** A log as a crash or a writer at work leaves it: published to some size, the rest in the journal. */
import { expect, test } from "vitest";
import {
  checkpointPath,
  encodeEntry,
  encodeRecord,
  type Finding,
  type LogFiles,
  type LogReport,
  readEntries,
  segmentPath,
  signCheckpoint,
  verifyLog,
} from "../../../src/audit/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import { policyEntry } from "../ledger/entries.ts";
import {
  checkpointOf,
  type Files,
  filesOf,
  leavesOf,
  putSegment,
  readerOf,
  recordsOf,
  signer,
  thief,
  treeOf,
  verifier,
} from "./log-folder.ts";

const leaves = leavesOf(300);
const published = (size: number): Promise<Files> => filesOf(leaves.slice(0, size));
const verify = (files: LogFiles): Promise<LogReport> => verifyLog({ files, verifier });
const short = ({ severity, code, index, message }: Finding): string =>
  `${severity} ${code}@${index ?? "-"}: ${message}`;

async function found(files: Files | LogFiles): Promise<readonly string[]> {
  return (await verify("read" in files ? files : readerOf(files))).findings.map(short);
}

/** The files, one path of which cannot be read. */
const failing = (files: Files, path: string): LogFiles => ({
  read: async (asked) =>
    asked === path ? err({ kind: "io", code: "EIO", path }) : readerOf(files).read(asked),
  list: async (folder) =>
    folder === path ? err({ kind: "io", code: "EIO", path }) : readerOf(files).list(folder),
});

test("what is durable in the journal counts as much as what is published", async () => {
  const files = await published(260);
  putSegment(files, recordsOf(leaves, 258, 260, 270));
  putSegment(files, recordsOf(leaves, 270, 300));
  const report = await verify(readerOf(files));
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ ok: true, size: 300, checkpoint: checkpointOf(leaves) });
  expect(report.rootHash).toEqual(treeOf(leaves).root());
});

test("a log that was never published is its journal", async () => {
  const files: Files = new Map();
  putSegment(files, recordsOf(leaves, 0, 3, 7));
  expect(await verify(readerOf(files))).toMatchObject({ ok: true, size: 7, findings: [] });
});

test("an older record of the journal is not the newest checkpoint", async () => {
  const files = await published(260);
  putSegment(files, recordsOf(leaves, 250, 255));
  const report = await verify(readerOf(files));
  expect(report).toMatchObject({ ok: true, size: 260 });
  expect(report.checkpoint).toBe(checkpointOf(leaves.slice(0, 260)));
});

test("a folder without a log, and a journal without what it continues, are said to be so", async () => {
  expect(await found(new Map())).toEqual([
    "unreadable unreadable@-: no log here: neither checkpoint nor a journal",
  ]);
  const cut: Files = new Map();
  putSegment(cut, recordsOf(leaves, 5, 9));
  expect(await found(cut)).toEqual([
    "tampered bad_checkpoint@-: checkpoint is missing",
    "tampered journal_differs@0: entries 0 to 4 are missing before the journal",
    expect.stringMatching(/^tampered missing_file@0: a checkpoint of the journal covers 9 entries/),
  ]);
});

test("entries between the published ones and the journal that are gone are named", async () => {
  const files = await published(100);
  putSegment(files, recordsOf(leaves, 120, 130));
  expect(await found(files)).toContainEqual(
    "tampered journal_differs@100: entries 100 to 119 are missing before the journal",
  );
});

test("an entry that is another one in the journal is found", async () => {
  const files = await published(260);
  const other = leaves.with(258, encodeEntry(policyEntry("other")).bytes);
  const [record] = recordsOf(leaves, 257, 260);
  if (record !== undefined) putSegment(files, [{ ...record, entries: other.slice(257, 260) }]);
  expect(await found(files)).toEqual([
    "tampered entry_differs@258: entry 258 is another one in the journal",
  ]);
});

test("a checkpoint in the journal is signed by the key and has the size of its record", async () => {
  const record = recordsOf(leaves, 0, 4)[0] ?? { first: 0, entries: [], checkpoint: "" };
  const foreign: Files = new Map();
  putSegment(foreign, [{ ...record, checkpoint: checkpointOf(leaves.slice(0, 4), thief) }]);
  expect(await found(foreign)).toEqual([
    `tampered journal_differs@0: the checkpoint of entry 0: not signed by the key of ${signer.name} (signed by: ${signer.name})`,
  ]);
  const longer: Files = new Map();
  putSegment(longer, [{ ...record, checkpoint: checkpointOf(leaves.slice(0, 5)) }]);
  expect(await found(longer)).toEqual([
    "tampered journal_differs@0: the checkpoint of entry 0: it has another size",
  ]);
  const forked: Files = new Map();
  putSegment(forked, [{ ...record, checkpoint: signCheckpoint(4, treeOf(leaves).root(), signer) }]);
  expect(await found(forked)).toEqual([
    "tampered root_differs@0: a checkpoint of the journal has another root at 4 entries: something in 0 to 3 was changed",
  ]);
});

test("a torn tail is a note; bytes that are no record before another segment are damage", async () => {
  const files: Files = new Map();
  const records = recordsOf(leaves, 0, 3, 6);
  putSegment(files, records, 40);
  const torn = encodeRecord(records[1] ?? { first: 0, checkpoint: "", entries: [] }).length - 40;
  const report = await verify(readerOf(files));
  expect(report.findings.map(short)).toEqual([
    `note torn_tail@-: ${segmentPath(0)} ends in ${torn} bytes that a crash cut off`,
  ]);
  expect(report).toMatchObject({ ok: true, size: 3 });
  putSegment(files, recordsOf(leaves, 3, 6));
  expect(await found(files)).toEqual([
    `tampered journal_differs@-: ${segmentPath(0)} ends in ${torn} bytes that are no record`,
  ]);
});

test("a segment that is published as a whole is a leftover, and is not looked at", async () => {
  const files = await published(260);
  files.set(segmentPath(250), Buffer.from("damaged"));
  putSegment(files, recordsOf(leaves, 260, 265));
  expect(await verify(readerOf(files))).toMatchObject({ ok: true, size: 265, findings: [] });
  files.set(segmentPath(250), Buffer.alloc(400, 7));
  files.delete(segmentPath(260));
  putSegment(files, recordsOf(leaves, 261, 265));
  expect(await found(files)).toContainEqual(
    `tampered journal_differs@250: ${segmentPath(250)}: the record at byte 0 was complete and is damaged`,
  );
});

test("what cannot be read is said to be unreadable, not tampered with", async () => {
  const files = await published(4);
  putSegment(files, recordsOf(leaves, 4, 6));
  expect(await found(failing(files, "journal"))).toEqual(["unreadable unreadable@-: journal: EIO"]);
  expect(await found(failing(files, segmentPath(4)))).toEqual([
    `unreadable unreadable@-: ${segmentPath(4)} cannot be read (EIO)`,
  ]);
  expect(await found(failing(files, checkpointPath))).toContainEqual(
    "unreadable unreadable@-: checkpoint cannot be read (EIO)",
  );
  files.set("journal/notes.txt", Buffer.from("x"));
  expect(await found(files)).toEqual([
    "tampered journal_differs@-: journal/notes.txt is no segment of a journal",
  ]);
});

test("a writer that publishes and trims between two reads is read again", async () => {
  const before = await published(4);
  const after = await published(8);
  putSegment(after, recordsOf(leaves, 8, 9));
  let reads = 0;
  const moving: LogFiles = {
    read: (path) => readerOf(path === checkpointPath && reads++ === 0 ? before : after).read(path),
    list: (folder) => readerOf(after).list(folder),
  };
  expect(await verify(moving)).toMatchObject({ ok: true, size: 9, findings: [] });
  expect(reads).toBe(2);
  let stale = 0;
  const never: LogFiles = {
    read: (path) => readerOf(path === checkpointPath && stale++ < 99 ? before : after).read(path),
    list: (folder) => readerOf(after).list(folder),
  };
  expect((await verify(never)).ok).toBe(false);
  expect(stale).toBe(4);
});

const indexes = async (
  files: LogFiles,
  from: number,
  countMax?: number,
): Promise<readonly number[] | string> => {
  const read = await readEntries(files, verifier, from, countMax);
  return read.ok ? read.value.map(({ index }) => index) : read.error;
};
const span = (first: number, end: number): number[] =>
  Array.from({ length: end - first }, (_, i) => first + i);

test("the newest entries: published, in the journal, counted from either end", async () => {
  const files = await published(258);
  putSegment(files, recordsOf(leaves, 256, 258, 262));
  expect(await indexes(readerOf(files), 250)).toEqual(span(250, 262));
  expect(await indexes(readerOf(files), 0)).toEqual(span(0, 262));
  expect(await indexes(readerOf(files), -3)).toEqual([259, 260, 261]);
  expect(await indexes(readerOf(files), -1_000)).toEqual(span(0, 262));
  expect(await indexes(readerOf(files), 262)).toEqual([]);
  const read = await readEntries(readerOf(files), verifier, -1);
  expect(read.ok && Buffer.from(encodeEntry(read.value[0]?.entry as never).bytes)).toEqual(
    Buffer.from(leaves[261] ?? []),
  );
  const unpublished: Files = new Map();
  putSegment(unpublished, recordsOf(leaves, 0, 3));
  expect(await indexes(readerOf(unpublished), -2)).toEqual([1, 2]);
  const leftover = await published(258);
  putSegment(leftover, recordsOf(leaves, 250, 255));
  expect(await indexes(readerOf(leftover), -1)).toEqual([257]);
});

test("entries come in pieces, across tiles and from the journal", async () => {
  const files = await published(258);
  putSegment(files, recordsOf(leaves, 256, 258, 262));
  for (let from = 0; from < 262; from += 100)
    expect(await indexes(readerOf(files), from, 100)).toEqual(
      span(from, Math.min(from + 100, 262)),
    );
  expect(await indexes(readerOf(files), -5, 2)).toEqual([257, 258]);
  expect(await indexes(readerOf(files), 0, 0)).toEqual([]);
});

test("the newest entries are not shown from what cannot be read or is not signed", async () => {
  const files = await published(4);
  expect(await indexes(failing(files, checkpointPath), 0)).toBe("checkpoint cannot be read (EIO)");
  const unsigned = await filesOf(leaves.slice(0, 4), checkpointOf(leaves.slice(0, 4), thief));
  expect(await indexes(readerOf(unsigned), 0)).toMatch(/^checkpoint: not signed by the key of/);
  files.delete("tile/entries/000.p/4");
  expect(await indexes(readerOf(files), 0)).toBe("tile/entries/000.p/4 cannot be read (ENOENT)");
  const bad = leaves.slice(0, 4).with(2, Buffer.from("{}"));
  expect(await indexes(readerOf(await filesOf(bad)), 1)).toBe(
    "entry 2: format version undefined is not known",
  );
});

test("a bundle without its partial form is read from the full one", async () => {
  const files = await published(260);
  const older = await filesOf(leaves.slice(0, 100));
  for (const path of [...older.keys()].filter((each) => each !== checkpointPath))
    older.delete(path);
  for (const [path, bytes] of files) if (path !== checkpointPath) older.set(path, bytes);
  expect(await verify(readerOf(older))).toMatchObject({ ok: true, size: 100, findings: [] });
  expect(ok(await indexes(readerOf(older), 98))).toEqual(ok([98, 99]));
});
