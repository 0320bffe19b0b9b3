/** Archives made to take the reader's memory, time or place on disk. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBundle } from "../../../src/adapters/bundle/index.ts";

interface Header {
  readonly size?: number;
  readonly type?: string;
  readonly link?: string;
}

const block = 512;

/** A header of POSIX ustar, with the checksum that its bytes have. */
function header(name: string, { size = 0, type = "0", link = "" }: Header = {}): Buffer {
  const bytes = Buffer.alloc(block);
  bytes.write(name, 0, 100);
  bytes.write("0000644\0", 100);
  bytes.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  bytes.write("        ", 148);
  bytes.write(type, 156);
  bytes.write(link, 157, 100);
  bytes.write("ustar\x0000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

const zipped = (...parts: readonly Uint8Array[]): Buffer =>
  gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * block)]), { level: 1 });
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);
const limits = { filesMax: 100, bytesMax: 1_000_000 };

const hostile: readonly (readonly [what: string, archive: Buffer, kind: string])[] = [
  ["a file of 20 MB of nothing", zipped(header("x", { size: 20e6 }), zeros(20e6)), "too_large"],
  [
    "a long name of 20 MB",
    zipped(header("x", { size: 20e6, type: "L" }), zeros(20e6)),
    "too_large",
  ],
  [
    "a pax header of 20 MB",
    zipped(header("x", { size: 20e6, type: "x" }), zeros(20e6)),
    "too_large",
  ],
  [
    "a hundred thousand folders",
    zipped(
      Buffer.concat(Array.from({ length: 100_000 }, (_, i) => header(`d${i}/`, { type: "5" }))),
    ),
    "too_large",
  ],
  [
    "more files than the limit",
    zipped(Buffer.concat(Array.from({ length: 101 }, (_, i) => header(`f${i}`)))),
    "too_large",
  ],
  [
    "a folder with content",
    zipped(header("d/", { size: block, type: "5" }), zeros(block)),
    "malformed",
  ],
  ["a symbolic link", zipped(header("data.json", { type: "2", link: "/etc/passwd" })), "malformed"],
  ["a hard link", zipped(header("data.json", { type: "1", link: "/etc/passwd" })), "malformed"],
  ["a character device", zipped(header("null", { type: "3" })), "malformed"],
  ["a block device", zipped(header("sda", { type: "4" })), "malformed"],
  ["a pipe", zipped(header("pipe", { type: "6" })), "malformed"],
  ["a sparse file", zipped(header("sparse", { type: "S" })), "malformed"],
  ["a name twice", zipped(header("a"), header("./a")), "malformed"],
  ["the parent folder", zipped(header("../../etc/cron.d/x")), "malformed"],
  ["the parent folder, later", zipped(header("a/../../x")), "malformed"],
  ["one file by two names", zipped(header("a/b"), header("a//b")), "malformed"],
  ["a backslash", zipped(header("a\\..\\b")), "malformed"],
  ["a name that only looks the same", zipped(header("data\u200b.json")), "malformed"],
  ["an escape sequence in a name", zipped(header("\u001b[2Jx")), "malformed"],
  ["a size in base 256 below zero", zipped(sized(0xff)), "malformed"],
  ["a size in base 256 beyond every number", zipped(sized(0x82)), "malformed"],
  ["less than the header says", gzipSync(header("a", { size: 5_000 })), "malformed"],
  ["a cut gzip", zipped(header("a")).subarray(0, 20), "malformed"],
  [
    "something behind the gzip",
    Buffer.concat([zipped(header("a")), Buffer.from("!!")]),
    "malformed",
  ],
  ["a zip", Buffer.from("PK\x03\x04 and so on, and so on"), "malformed"],
];

/** A header whose size begins with this byte, which says that base 256 follows (GNU tar). */
function sized(first: number): Buffer {
  const bytes = header("a", { size: 3 });
  bytes[124] = first;
  resum(bytes);
  return bytes;
}

test.each(hostile)("%s is refused", async (_, archive, kind) => {
  const before = process.memoryUsage().arrayBuffers;
  expect(await readBundle(archive, limits)).toMatchObject({ ok: false, error: { kind } });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30e6);
});

test("a name that every object has is a name like any other", async () => {
  const read = await readBundle(zipped(header("__proto__"), header("constructor")), limits);
  expect(read.ok && [...read.value.keys()]).toEqual(["__proto__", "constructor"]);
});

test("whatever the bytes of an archive are, reading it ends", async () => {
  const good = Buffer.concat([
    header("a", { size: 3 }),
    Buffer.alloc(block, "abc"),
    header("d/", { type: "5" }),
  ]);
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(damage, fc.boolean(), async (changes, sum) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      if (sum) for (const at of [0, 2 * block]) resum(bytes.subarray(at, at + block));
      const read = await readBundle(zipped(bytes), limits);
      expect(typeof read.ok).toBe("boolean");
    }),
    { numRuns: 500 },
  );
});

/** So that damage in a header is not found by its checksum alone. */
function resum(bytes: Buffer): void {
  bytes.write("        ", 148);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}
