import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { readBundle, writeBundle } from "../../../src/adapters/bundle/index.ts";

const files = new Map([
  [".manifest", Buffer.from("{}")],
  ["data.json", Buffer.from(`{"a":1}`)],
  ["holdfast/value.rego", Buffer.from("package holdfast.value\n")],
]);

async function tarOf(add: (archive: ReturnType<typeof pack>) => void): Promise<Uint8Array> {
  const archive = pack();
  add(archive);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

test("what was written is read", async () => {
  const read = await readBundle(await writeBundle(files));
  expect(read.ok && [...read.value].map(([path, bytes]) => [path, bytes.toString()])).toEqual(
    [...files].map(([path, bytes]) => [path, bytes.toString()]),
  );
});

test("the same files give the same bytes, in whatever order they come", async () => {
  const reversed = new Map([...files].reverse());
  expect(await writeBundle(reversed)).toEqual(await writeBundle(files));
  const [first, later] = [await writeBundle(files), await writeBundle(files)];
  expect(later).toEqual(first);
  expect([...first.subarray(4, 8), first[9]]).toEqual([0, 0, 0, 0, 255]);
});

test("a decompression bomb is refused, and too many files too", async () => {
  const bomb = await writeBundle(new Map([["zeros", Buffer.alloc(4_000_000)]]));
  expect(bomb.length).toBeLessThan(10_000);
  const limits = { filesMax: 10, bytesMax: 100_000 };
  expect(await readBundle(bomb, limits)).toMatchObject({ ok: false, error: { kind: "too_large" } });
  const many = new Map(Array.from({ length: 11 }, (_, i) => [`f${i}`, Buffer.from("x")]));
  const read = await readBundle(await writeBundle(many), limits);
  expect(read).toMatchObject({ ok: false, error: { kind: "too_large" } });
});

test("links, repeated names and broken archives are refused", async () => {
  const link = await tarOf((archive) =>
    archive.entry({ name: "data.json", type: "symlink", linkname: "/etc/passwd" }),
  );
  const twice = await tarOf((archive) => {
    archive.entry({ name: "data.json" }, "{}");
    archive.entry({ name: "/data.json" }, `{"a":1}`);
  });
  const whole = await writeBundle(files);
  const cut = whole.subarray(0, whole.length >> 1);
  for (const archive of [link, twice, cut, Buffer.from("no gzip"), new Uint8Array()])
    expect(await readBundle(archive)).toMatchObject({ ok: false });
});
