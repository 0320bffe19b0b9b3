import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTokenKey } from "../../../src/adapters/token-key/index.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("makes the key once, for its owner alone, and leaves nothing beside it", async () => {
  const path = join(folder, "keys", "token.json");
  const opened = await Promise.all([openTokenKey(path), openTokenKey(path)]);
  const again = await openTokenKey(path);
  expect(opened).toEqual([again, again]);
  expect(again.ok).toBe(true);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, "keys"))).toEqual(["token.json"]);
});

test("refuses a key that others can read, and a file that is no key", async () => {
  const path = join(folder, "token.json");
  await openTokenKey(path);
  await chmod(path, 0o640);
  expect(await openTokenKey(path)).toMatchObject({
    ok: false,
    error: { detail: expect.stringContaining("chmod 600") },
  });
  await writeFile(path, "{}");
  await chmod(path, 0o600);
  expect(await openTokenKey(path)).toMatchObject({
    ok: false,
    error: { detail: expect.stringContaining("not an Ed25519") },
  });
});
