/** The text and byte formats: the specifications' own examples, round trips, and hostile input. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeBundle,
  decodeEntry,
  encodeBundle,
  encodeEntry,
  encodeRecord,
  encodeVkey,
  formatProof,
  HashTree,
  inclusionProof,
  leafHash,
  nodeHash,
  noteVerifier,
  openCheckpoint,
  openCosignature,
  openNote,
  parseCheckpointText,
  parseProof,
  parseVkey,
  readSegment,
  signatureType,
  signCheckpoint,
  signNote,
  tilePath,
  verifyInclusion,
  verifyReceipt,
} from "../../../src/audit/index.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { policyEntry } from "../ledger/entries.ts";

const signer = simSigner("log.example/a", new Random(1));
const other = simSigner("log.example/a", new Random(2));
const verifier = noteVerifier(signer.name, signer.publicKey);

test("signed-note: the example of the specification verifies", () => {
  const key = parseVkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
  if (!key.ok) throw new Error(key.error);
  const note =
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
  expect(openNote(note, key.value)).toMatchObject({
    ok: true,
    value: { text: "This is an example message.\n" },
  });
  expect(encodeVkey("example.com/foo", key.value.publicKey)).toBe(
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
  );
});

test("vkeys that are not exactly right are refused", () => {
  const good = encodeVkey(signer.name, signer.publicKey);
  expect(parseVkey(`${good}\n`).ok).toBe(true);
  for (const bad of ["", "name", good.replace("+", "+0"), good.slice(0, -1), `a b${good}`])
    expect(parseVkey(bad).ok).toBe(false);
  const [name, , key] = good.split("+");
  expect(parseVkey(`${name}+00000000+${key}`).ok).toBe(false);
  expect(parseVkey(encodeVkey(signer.name, signer.publicKey, 2)).ok).toBe(false);
});

test("notes: unknown signatures are ignored, a wrong one of the key refuses the note", () => {
  const note = signNote("text\n\nmore\n", signer);
  const line = signNote("text\n\nmore\n", other).split("\n").at(-2);
  expect(openNote(`${note}${line}\n`, verifier)).toMatchObject({
    ok: true,
    value: { text: "text\n\nmore\n" },
  });
  const forged = note.split("\n").at(-2)?.replace(/.{8}$/, "AAAAAAA=");
  for (const bad of [`${note}${forged}\n`, note.slice(0, -1), `${note}\n`, `${note}x\n`])
    expect(openNote(bad, verifier).ok).toBe(false);
  expect(openNote(note.replace("text", "t\text"), verifier).ok).toBe(false);
  expect(openNote(signNote("text\n\nmore\n", other), verifier)).toMatchObject({ ok: false });
});

test("checkpoints: round trip; malformed ones are refused", () => {
  const rootHash = leafHash(Buffer.from("x"));
  const note = signCheckpoint(7, rootHash, signer);
  expect(openCheckpoint(note, verifier)).toMatchObject({
    ok: true,
    value: { origin: "log.example/a", size: 7 },
  });
  const root = Buffer.from(rootHash).toString("base64");
  for (const bad of [
    ...[`\n7\n${root}\n`, `o\n07\n${root}\n`, `o\n-7\n${root}\n`, `o\n9007199254740992\n${root}\n`],
    ...[
      `o\n7\n${root.slice(4)}\n`,
      `o\n7\n${root}`,
      `o\n7\n${root}\n\n`,
      `o\n0\n${root}\n`,
      "o\n7\n",
    ],
  ])
    expect(parseCheckpointText(bad), bad).toMatchObject({ ok: false });
  expect(parseCheckpointText(`o\n7\n${root}\nextension\n`)).toMatchObject({ ok: true });
});

test("cosignatures: a witness's statement holds for its checkpoint and time alone", () => {
  const witness = simSigner("witness.example/w1", new Random(8));
  const { cosignatureEd25519 } = signatureType;
  const key = noteVerifier(witness.name, witness.publicKey, cosignatureEd25519);
  const note = signCheckpoint(7, leafHash(Buffer.from("x")), signer);
  const [text = ""] = note.split("\n\n");
  const cosigned = (seconds: number, over = `${text}\n`): string => {
    const time = Buffer.alloc(12);
    time.writeUInt32BE(key.keyId, 0);
    time.writeBigUInt64BE(BigInt(seconds), 4);
    const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${over}`);
    const encoded = Buffer.concat([time, witness.sign(message)]).toString("base64");
    return `${note}— ${witness.name} ${encoded}\n`;
  };
  expect(openCosignature(cosigned(1_679_315_147), key)).toEqual({
    ok: true,
    value: { witness: "witness.example/w1", timeSeconds: 1_679_315_147 },
  });
  expect(openCosignature(cosigned(1_679_315_148), key).ok).toBe(false);
  expect(openCosignature(cosigned(1_679_315_147, "other\n"), key).ok).toBe(false);
  expect(openCosignature(note, key).ok).toBe(false);
  expect(openCosignature(cosigned(1_679_315_147), verifier).ok).toBe(false);
  expect(openNote(cosigned(1_679_315_147), verifier).ok).toBe(true);
  expect(openNote(cosigned(1_679_315_147), key).ok).toBe(false);
});

test("tile paths are those of the specification", () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe("tile/0/x001/x234/067");
  expect(tilePath({ level: "entries", index: 0, width: 17 })).toBe("tile/entries/000.p/17");
  expect(tilePath({ level: 3, index: 1_000, width: 256 })).toBe("tile/3/x001/000");
});

test("bundles: round trip; a cut one is refused", () => {
  const bundle = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 });
  fc.assert(
    fc.property(bundle, fc.nat(), (entries, cut) => {
      const bytes = encodeBundle(entries);
      const decoded = decodeBundle(bytes);
      expect(decoded.ok && decoded.value.map((entry) => [...entry])).toEqual(
        entries.map((entry) => [...entry]),
      );
      const part = decodeBundle(bytes.subarray(0, bytes.length === 0 ? 0 : cut % bytes.length));
      if (part.ok) expect(part.value.length).toBeLessThan(Math.max(1, entries.length));
    }),
  );
});

test("receipts: every change of the text makes them prove nothing, or the same", () => {
  const entries = Array.from({ length: 9 }, (_, i) => encodeEntry(policyEntry(`r${i}`)).bytes);
  const tree = new HashTree();
  for (const entry of entries) tree.append(leafHash(entry));
  const receipt = formatProof({
    index: 4,
    proof: inclusionProof(4, 9, tree.node),
    checkpoint: signCheckpoint(9, tree.root(), signer),
    ...{ extra: entries[4] ?? new Uint8Array(0) },
  });
  expect(verifyReceipt(receipt, verifier)).toMatchObject({ ok: true, value: { index: 4 } });
  fc.assert(
    fc.property(fc.nat(receipt.length - 1), fc.constantFrom("A", "1", "\n", ""), (at, put) => {
      const changed = receipt.slice(0, at) + put + receipt.slice(at + 1);
      if (changed === receipt) return;
      expect(verifyReceipt(changed, verifier).ok).toBe(false);
    }),
    { numRuns: runsOf(400) },
  );
  for (const bad of ["", "c2sp.org/tlog-proof@v1\nindex 01\n\n", receipt.replace("index", "Index")])
    expect(parseProof(bad).ok).toBe(false);
});

test("entries: canonical JSON only; a large one goes by digest", () => {
  const { bytes, blob } = encodeEntry(policyEntry("r1"));
  expect(blob).toBeUndefined();
  expect(decodeEntry(bytes)).toEqual({ ok: true, value: policyEntry("r1") });
  const text = Buffer.from(bytes).toString();
  for (const bad of [
    `${text} `,
    text.replace(/"v":1/, '"v":2'),
    text.replace("policy", "other"),
    "{}",
    "[",
    "",
  ])
    expect(decodeEntry(Buffer.from(bad)).ok, bad).toBe(false);
  expect(decodeEntry(Buffer.from(text.replace('"v":1', '"v":1,"v":1'))).ok).toBe(false);
  const large = encodeEntry(policyEntry("r1", 66_000));
  expect(large.bytes.length).toBeLessThan(500);
  expect(large.blob?.path).toMatch(/^blobs\/[0-9a-f]{64}$/);
  expect(decodeEntry(large.bytes)).toMatchObject({
    ok: true,
    value: { kind: "digest", of: "policy" },
  });
});

const records = Array.from({ length: 4 }, (_, i) => ({
  first: i * 2,
  checkpoint: signCheckpoint(i * 2 + 2, leafHash(Buffer.from(`${i}`)), signer),
  entries: [0, 1].map((j) => encodeEntry(policyEntry(`r${i * 2 + j}`, 300)).bytes),
}));
const encoded = records.map(encodeRecord);
const segment = Buffer.concat(encoded);
const lastAt = segment.length - (encoded.at(-1)?.length ?? 0);

test("journal: a cut or zero-filled tail is torn, and everything before it is read", () => {
  fc.assert(
    fc.property(fc.nat(segment.length - 1), fc.nat(2_000), (cut, zeroes) => {
      const bytes = Buffer.concat([segment.subarray(0, cut), Buffer.alloc(zeroes)]);
      const read = readSegment(bytes);
      const whole = encoded.filter((_, i) => {
        const end = encoded.slice(0, i + 1).reduce((sum, each) => sum + each.length, 0);
        return end <= cut;
      });
      // A tail that happens to be the zeroes the record ends in is the record itself.
      if (read.ok) expect(read.value.records.length).toBeGreaterThanOrEqual(whole.length);
      const cutMidSector = zeroes > 0;
      expect(read.ok || cutMidSector).toBe(true);
    }),
  );
});

test("journal: a changed bit in what was whole is damage, also in the last record", () => {
  fc.assert(
    fc.property(fc.nat(segment.length - 1), fc.nat(7), (at, bit) => {
      const bytes = Buffer.from(segment);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      expect(readSegment(bytes)).toMatchObject({ ok: false });
    }),
    { numRuns: runsOf(300) },
  );
  expect(lastAt).toBeGreaterThan(0);
});

test("journal: zeroes in front of a whole record are damage, wherever a record begins after them", () => {
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = encoded;
  const damagedAt = first.length;
  const zeroed = Buffer.from(second).fill(0, 40);
  const complaint = `the record at byte ${damagedAt} was complete and is damaged`;
  expect(readSegment(Buffer.concat([first, zeroed]))).toMatchObject({
    ok: true,
    value: { wholeBytes: damagedAt, tornBytes: second.length },
  });
  for (const after of [[first], [second, first], [Buffer.from("HFJ1"), first]])
    expect(readSegment(Buffer.concat([first, zeroed, ...after]))).toEqual({
      ok: false,
      error: complaint,
    });
  const justHead = Buffer.concat([first, second.subarray(0, 31)]);
  expect(readSegment(justHead)).toMatchObject({ ok: true, value: { tornBytes: 31 } });
  const noHead = Buffer.concat([first, Buffer.alloc(32)]);
  expect(readSegment(noHead)).toMatchObject({ ok: true, value: { tornBytes: 32 } });
  const strange = Buffer.concat([first, Buffer.alloc(32, 7)]);
  expect(readSegment(strange)).toEqual({ ok: false, error: complaint });
});

test("proofs of hashes that are no hashes prove nothing", () => {
  const [a, b] = [leafHash(Buffer.from("a")), leafHash(Buffer.from("b"))];
  const claim = { index: 0, size: 2, leaf: a, root: nodeHash(a, b), proof: [b] };
  expect(verifyInclusion(claim)).toBe(true);
  const [long, short] = [Buffer.concat([a, b]), a.subarray(0, 31)];
  for (const odd of [long, short, new Uint8Array(0)]) {
    expect(verifyInclusion({ ...claim, leaf: odd })).toBe(false);
    expect(verifyInclusion({ ...claim, proof: [odd] })).toBe(false);
    expect(verifyInclusion({ ...claim, size: 1, leaf: odd, root: odd, proof: [] })).toBe(false);
  }
});
