/** Whoever hands in evidence is told what is wrong with it: each reader, each reason. */
import { expect, test } from "vitest";
import {
  decodeBundle,
  decodeEntry,
  encodeBundle,
  encodeEntry,
  encodeRecord,
  encodeVkey,
  type LogFiles,
  noteVerifier,
  openCheckpoint,
  openCosignature,
  openNote,
  parseCheckpointText,
  parseProof,
  parseVkey,
  peekCheckpoint,
  readBundle,
  readSegment,
  resolveEntry,
  segmentFirst,
  segmentPath,
  signatureType,
  signCheckpoint,
  signNote,
  tilePath,
  tilesOf,
  verifyReceipt,
} from "../../../src/audit/index.ts";
import { type Result, sha256, sha256Hex } from "../../../src/kernel/index.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { decisionEntry, outcomeEntry, policyEntry, startEntry } from "../ledger/entries.ts";
import { readerOf, signer, verifier } from "./log-folder.ts";

const why = (result: Result<unknown, string>): string => (result.ok ? "no refusal" : result.error);
const root = Buffer.alloc(32, 7).toString("base64");
const { name } = signer;

test("verifier keys", () => {
  const vkey = encodeVkey(name, signer.publicKey);
  const id = vkey.slice(name.length + 1, name.length + 9);
  const key = vkey.slice(name.length + 10);
  const material = Buffer.from(key, "base64");
  const withKey = (bytes: Uint8Array): string =>
    `${name}+${id}+${Buffer.from(bytes).toString("base64")}`;
  const form = "a verifier key reads name+keyid+base64";
  expect(why(parseVkey(""))).toBe(form);
  expect(why(parseVkey(`a b+${id}+${key}`))).toBe(form);
  expect(why(parseVkey(`${name}+${id.toUpperCase()}x+${key}`))).toBe(form);
  expect(why(parseVkey(`${name}+${id}+${key}=`))).toBe("its key is not canonical base64");
  expect(why(parseVkey(withKey(material.with(0, 2))))).toBe(
    "signature type 2 is not supported; use Ed25519",
  );
  expect(why(parseVkey(withKey(material.subarray(0, 32))))).toBe("an Ed25519 key has 32 bytes");
  expect(why(parseVkey(withKey(material.with(5, (material[5] ?? 0) ^ 1))))).toBe(
    "its key id belongs to another key",
  );
  expect(parseVkey(` ${vkey}\n`)).toMatchObject({ ok: true, value: { name, type: 1 } });
  const witness = encodeVkey(name, signer.publicKey, signatureType.cosignatureEd25519);
  expect(parseVkey(witness)).toMatchObject({ ok: true, value: { type: 4 } });
});

test("notes", () => {
  const note = signNote("text\n", signer);
  const line = note.split("\n")[2] ?? "";
  const open = (text: string): string => why(openNote(text, verifier));
  expect(open(note)).toBe("no refusal");
  expect(open(`${"x".repeat(1_000_001)}`)).toBe("the note is over a megabyte");
  expect(open(note.replace("text", "te\tt"))).toBe("the note holds a control character");
  expect(open(note.replace("text", "te\u001ft"))).toBe("the note holds a control character");
  expect(open("text\n")).toBe("the note has no signature block");
  expect(open(note.slice(0, -1))).toBe("the note has no signature block");
  expect(open(`text\n\n${`${line}\n`.repeat(64)}`)).toBe("no refusal");
  expect(open(`text\n\n${`${line}\n`.repeat(65)}`)).toBe("the note has over 64 signatures");
  for (const bad of ["- a b", "—  b", "— a", "— a b c", "— a+b AAAAAAA=", "— a AAAAAA=="])
    expect(open(`text\n\n${bad}\n`)).toBe(`not a signature line: ${JSON.stringify(bad)}`);
  const long = `— ${"n".repeat(100)}`;
  expect(open(`text\n\n${long}\n`)).toBe(`not a signature line: "${long.slice(0, 80)}"`);
  expect(open(note.replace("text", "test"))).toBe(`the signature of ${name} does not verify`);
  const others = ["one.example", "two.example"].map(
    (each, i) => signNote("text\n", simSigner(each, new Random(i + 5))).split("\n")[2],
  );
  expect(open(`text\n\n${others.join("\n")}\n`)).toBe(
    `not signed by the key of ${name} (signed by: one.example, two.example)`,
  );
  const cosigning = noteVerifier(name, signer.publicKey, signatureType.cosignatureEd25519);
  expect(why(openNote(note, cosigning))).toBe(
    `the key of ${name} does not sign notes: it is of type 4`,
  );
});

test("checkpoints", () => {
  const empty = Buffer.from(sha256(new Uint8Array(0))).toString("base64");
  for (const [text, reason] of [
    [`\n7\n${root}\n`, "a checkpoint begins with its origin"],
    [`o\n07\n${root}\n`, "its second line is no tree size"],
    [`o\n9007199254740992\n${root}\n`, "its second line is no tree size"],
    [`o\n7\n${root.slice(4)}\n`, "its third line is no root hash"],
    ["o\n7\n", "its third line is no root hash"],
    [`o\n7\n${root}\n\n`, "it has an empty line"],
    [`o\n7\n${root}`, "it has an empty line"],
    [`o\n0\n${root}\n`, "the empty tree has another root"],
    [`o\n0\n${empty}\n`, "no refusal"],
    [`o\n9007199254740991\n${root}\nan extension\n`, "no refusal"],
  ] as const)
    expect(why(parseCheckpointText(text)), text).toBe(reason);
  const foreign = signNote(`elsewhere\n7\n${root}\n`, signer);
  expect(why(openCheckpoint(foreign, verifier))).toBe(
    `its origin is elsewhere, the key is of ${name}`,
  );
  expect(peekCheckpoint(foreign)).toMatchObject({ ok: true, value: { origin: "elsewhere" } });
  expect(why(peekCheckpoint("text"))).toBe("the note has no signature block");
});

test("cosignatures", () => {
  const witness = simSigner("witness.example", new Random(9));
  const key = noteVerifier(witness.name, witness.publicKey, signatureType.cosignatureEd25519);
  const note = signCheckpoint(7, Buffer.alloc(32, 7), signer);
  const cosigned = (signature: Uint8Array): string => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(key.keyId);
    return `${note}— ${witness.name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
  };
  expect(why(openCosignature(note, verifier))).toBe(
    `the key of ${name} is not one of cosignatures`,
  );
  expect(why(openCosignature("text", key))).toBe("the note has no signature block");
  expect(why(openCosignature(note, key))).toBe("not cosigned by witness.example");
  const other = simSigner("witness.example", new Random(10));
  const namesake = noteVerifier(other.name, other.publicKey, signatureType.cosignatureEd25519);
  expect(why(openCosignature(cosigned(Buffer.alloc(72)), namesake))).toBe(
    "not cosigned by witness.example",
  );
  expect(
    why(openCosignature(cosigned(Buffer.alloc(72)), { ...key, name: "another.example" })),
  ).toBe("not cosigned by another.example");
  expect(why(openCosignature(cosigned(Buffer.alloc(64)), key))).toBe(
    "a cosignature has 8 bytes of time and 64 of Ed25519",
  );
  expect(why(openCosignature(cosigned(Buffer.alloc(72, 0xff)), key))).toBe(
    "its time is out of range",
  );
  expect(why(openCosignature(cosigned(Buffer.alloc(72)), key))).toBe(
    "the cosignature of witness.example does not verify",
  );
});

test("receipts", () => {
  const magic = "c2sp.org/tlog-proof@v1";
  const checkpoint = signCheckpoint(7, Buffer.alloc(32, 7), signer);
  for (const [text, reason] of [
    [magic, "no empty line before the checkpoint"],
    [`x${magic}\nindex 0\n\n`, `the first line is not ${magic}`],
    [`${magic}\nextra !\nindex 0\n\n`, "the extra line is not canonical base64"],
    [`${magic}\n\n`, "no line `index N`"],
    [`${magic}\nindex 01\n\n`, "no line `index N`"],
    [`${magic}\nplace 1\n\n`, "no line `index N`"],
    [`${magic}\nindex 1\n${`${root}\n`.repeat(53)}\n`, "no refusal"],
    [`${magic}\nindex 1\n${`${root}\n`.repeat(54)}\n`, "more than 53 hashes"],
    [`${magic}\nindex 1\nAAAA\n\n`, 'not a hash: "AAAA"'],
    [`${magic}\nindex 1\n${"A".repeat(99)}\n\n`, `not a hash: "${"A".repeat(60)}"`],
    [" ".repeat(2_000_001), "the receipt is over two megabytes"],
  ] as const)
    expect(why(parseProof(text)), text.slice(0, 60)).toBe(reason);
  expect(why(verifyReceipt(`${magic}\nindex 1\n\n${checkpoint}`, verifier))).toBe(
    "the receipt does not carry its entry",
  );
  expect(why(verifyReceipt(`${magic}\nextra AAAA\nindex 1\n\nx\n`, verifier))).toBe(
    "its checkpoint: the note has no signature block",
  );
  expect(why(verifyReceipt(`${magic}\nextra AAAA\nindex 1\n\n${checkpoint}`, verifier))).toBe(
    "the entry is not at index 1 of the signed tree of 7",
  );
});

const decoded = (entry: object): string =>
  why(decodeEntry(Buffer.from(JSON.stringify(sorted(entry)))));
const sorted = (value: object): object =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

test("entries: every field that checks and tables read is there", () => {
  const entries = [startEntry(), policyEntry("r1"), decisionEntry("c"), outcomeEntry("c", 1)];
  for (const entry of entries) expect(decodeEntry(encodeEntry(entry).bytes).ok).toBe(true);
  const strings = {
    start: ["time", "tenant", "instance", "site", "holdfast"],
    policy: ["time", "policy_version", "bundle_digest"],
    decision: ["call", "face", "agent_id", "tool", "decision", "reason"],
    outcome: ["call", "outcome"],
  };
  for (const entry of entries)
    for (const field of strings[entry.kind])
      expect(decoded({ ...entry, [field]: 1 })).toBe(`its ${field} is no string`);
  expect(decoded({ ...entries[0], v: 2 })).toBe("format version 2 is not known");
  expect(decoded({ ...entries[0], kind: "other" })).toBe("its kind is not known");
  expect(decoded({ ...entries[0], kind: 1 })).toBe("its kind is not known");
  expect(decoded({ ...entries[0], epoch: 0.5 })).toBe("its epoch is no integer");
  expect(decoded({ ...entries[3], decision_index: "1" })).toBe("its decision_index is no integer");
  for (const unknown_calls of [null, "c", [1], ["c", 1]])
    expect(decoded({ ...entries[0], unknown_calls })).toBe(
      "its unknown_calls is no list of strings",
    );
  expect(decoded({ ...entries[0], unknown_calls: ["c", "d"] })).toBe("no refusal");
  expect(why(decodeEntry(Buffer.from("[]")))).toBe("not a JSON object");
  expect(why(decodeEntry(Buffer.from("{")))).toBe("not strict JSON");
  const text = Buffer.from(encodeEntry(startEntry()).bytes).toString();
  expect(why(decodeEntry(Buffer.from(` ${text}`)))).toBe("not in canonical form");
});

test("large entries: the content has the digest that the log holds, or is refused", async () => {
  const entry = policyEntry("r1", 66_000);
  const { bytes, blob = { path: "", bytes } } = encodeEntry(entry);
  const hex = sha256Hex(blob.bytes);
  const resolved = async (leaf: Uint8Array, files: LogFiles): Promise<unknown> => {
    const result = await resolveEntry(files, leaf);
    return result.ok ? result.value : result.error;
  };
  const files = (content: Uint8Array): LogFiles => readerOf(new Map([[blob.path, content]]));
  expect(blob.path).toBe(`blobs/${hex}`);
  expect(await resolved(bytes, files(blob.bytes))).toEqual(entry);
  expect(await resolved(bytes, readerOf(new Map()))).toBe(
    `its content ${blob.path} cannot be read (ENOENT)`,
  );
  expect(await resolved(bytes, files(Buffer.from("x")))).toBe(
    `its content ${blob.path} does not have its digest`,
  );
  const stub = JSON.parse(Buffer.from(bytes).toString());
  expect(stub).toMatchObject({
    kind: "digest",
    of: "policy",
    call: null,
    bytes: blob.bytes.length,
  });
  const naming = (content: Uint8Array): readonly [Uint8Array, LogFiles] => {
    const named = { ...stub, digest: `sha256:${sha256Hex(content)}` };
    const path = `blobs/${sha256Hex(content)}`;
    return [Buffer.from(JSON.stringify(sorted(named))), readerOf(new Map([[path, content]]))];
  };
  expect(await resolved(...naming(bytes))).toBe("its content is a stub again");
  expect(await resolved(...naming(Buffer.from("{")))).toBe("not strict JSON");
  for (const digest of [
    "sha512:00",
    "sha256:",
    `sha256:${hex}0`,
    `sha256:x${hex}`,
    hex,
    "sha256:zz",
  ])
    expect(
      await resolved(Buffer.from(JSON.stringify(sorted({ ...stub, digest }))), files(blob.bytes)),
    ).toBe("its digest is no SHA-256");
  expect(
    encodeEntry({ ...decisionEntry("c"), reason: "x".repeat(66_000) }).bytes.length,
  ).toBeLessThan(500);
  const call = JSON.parse(
    Buffer.from(
      encodeEntry({ ...decisionEntry("c"), reason: "x".repeat(66_000) }).bytes,
    ).toString(),
  );
  expect(call).toMatchObject({ of: "decision", call: "c" });
});

test("an entry of 65,535 bytes is itself in the log; one byte more goes by digest", () => {
  const base = encodeEntry(policyEntry("r1")).bytes.length;
  expect(encodeEntry(policyEntry("r1", 65_535 - base)).blob).toBeUndefined();
  expect(encodeEntry(policyEntry("r1", 65_536 - base)).blob).toBeDefined();
});

test("bundles and segments say at which byte they break", async () => {
  const bundle = encodeBundle([Buffer.from("abc"), Buffer.from("de")]);
  expect(why(decodeBundle(bundle.subarray(0, 6)))).toBe("cut inside a length at byte 5");
  expect(why(decodeBundle(bundle.subarray(0, 8)))).toBe("entry 1 runs past the end at byte 5");
  const wide = encodeBundle([new Uint8Array(300)]);
  expect(decodeBundle(wide)).toMatchObject({ ok: true, value: [{ length: 300 }] });
  const cut = readerOf(new Map([["tile/entries/000.p/2", bundle.subarray(0, 6)]]));
  expect(why(await readBundle(cut, 0, 2))).toBe(
    "tile/entries/000.p/2: cut inside a length at byte 5",
  );
  expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow("an entry has at most 65535 bytes");
  expect(encodeBundle([new Uint8Array(65_535)]).length).toBe(65_537);
  const empty = encodeRecord({ first: 0, checkpoint: "c", entries: [] });
  expect(why(readSegment(empty))).toBe("the record at byte 0 is malformed: it has no entries");
});

test("a record of the journal is laid out as it is documented, and whole ones can still say nonsense", () => {
  const record = (payload: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.write("HFJ1");
    head.writeUInt32BE(payload.length, 4);
    const sums = [sha256(head).subarray(0, 8), sha256(payload).subarray(0, 16)];
    return Buffer.concat([head, ...sums, payload]);
  };
  const numbers = (first: number, noteBytes: number): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeBigUInt64BE(BigInt(first));
    bytes.writeUInt32BE(noteBytes, 8);
    return bytes;
  };
  const entries = [Buffer.from("abc"), Buffer.from("")];
  const payload = Buffer.concat([numbers(7, 4), Buffer.from("note"), encodeBundle(entries)]);
  const written = encodeRecord({ first: 7, checkpoint: "note", entries });
  expect(Buffer.from(written)).toEqual(record(payload));
  const malformed = "the record at byte 0 is malformed:";
  expect(why(readSegment(record(Buffer.alloc(11))))).toBe(`${malformed} shorter than its numbers`);
  expect(why(readSegment(record(numbers(7, 1))))).toBe(
    `${malformed} its checkpoint runs past the end`,
  );
  expect(why(readSegment(record(numbers(7, 0))))).toBe(`${malformed} it has no entries`);
});

test("names of segments and tiles sort and are read back", () => {
  expect(segmentPath(42)).toBe("journal/0000000000000042");
  expect(segmentFirst("0000000000000042")).toBe(42);
  for (const bad of ["42", "x0000000000000042", "0000000000000042x", "000000000000004x"])
    expect(segmentFirst(bad)).toBeUndefined();
  expect(tilesOf("entries", 513)).toEqual([
    { level: "entries", index: 0, width: 256 },
    { level: "entries", index: 1, width: 256 },
    { level: "entries", index: 2, width: 1 },
  ]);
  expect(tilesOf(1, 513, 0)).toEqual([{ level: 1, index: 0, width: 2 }]);
  expect(tilesOf(0, 512, 1)).toEqual([{ level: 0, index: 1, width: 256 }]);
  expect(tilesOf(0, 0)).toEqual([]);
  expect(() => tilePath({ level: 0, index: 0, width: 0 })).toThrow(
    "a tile is 1 to 256 wide, not 0",
  );
  expect(() => tilePath({ level: 0, index: 0, width: 257 })).toThrow("not 257");
});
