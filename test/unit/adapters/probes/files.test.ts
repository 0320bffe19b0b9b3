import { execFileSync } from "node:child_process";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256Hex } from "../../../../src/kernel/index.ts";
import { type Probing, probing } from "../../../fixtures/probing.ts";
import { temporaryFolder } from "../../../fixtures/processes.ts";

let probe: Probing;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  probe = probing();
  folder = await temporaryFolder();
});
afterEach(async () => {
  await probe.close();
  await folder.remove();
});

/** What a person would type. */
const bySha256sum = (): string => {
  const list = "find -L . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum";
  const said = execFileSync("/bin/sh", ["-c", list], { cwd: folder.path, encoding: "utf8" });
  return `sha256:${said.slice(0, 64)}`;
};
const ask = (digest: string, path = folder.path) => probe.ask({ kind: "files", path, digest });

test("a file by its bytes", async () => {
  const path = join(folder.path, "a");
  await writeFile(path, "content");
  const digest = `sha256:${sha256Hex("content")}`;
  expect(await ask(digest, path)).toMatchObject({ verdict: "pass", observed: { digest } });
  await writeFile(path, "Content");
  expect(await ask(digest, path)).toMatchObject({ verdict: "fail" });
});

test("a folder by every file in it, as sha256sum would say; order and times mean nothing", async () => {
  await mkdir(join(folder.path, "b/c"), { recursive: true });
  for (const name of ["z", "B", "b.d", "b/a", "b/c/x"])
    await writeFile(join(folder.path, name), name);
  const digest = bySha256sum();
  expect(await ask(digest)).toMatchObject({ verdict: "pass" });
  await writeFile(join(folder.path, "z"), "z");
  expect(await ask(digest)).toMatchObject({ verdict: "pass" });
  await rename(join(folder.path, "z"), join(folder.path, "y"));
  expect(await ask(digest)).toMatchObject({ verdict: "fail" });
});

test("a mounted volume of Kubernetes is its files, not the folders they come from", async () => {
  await mkdir(join(folder.path, "..2026_11_25"));
  await writeFile(join(folder.path, "..2026_11_25/key"), "value");
  await symlink("..2026_11_25", join(folder.path, "..data"));
  await symlink("..data/key", join(folder.path, "key"));
  const digest = `sha256:${sha256Hex(`${sha256Hex("value")}  key\n`)}`;
  expect(await ask(digest)).toMatchObject({ verdict: "pass" });
});

test("what is not there fails; what is no file says nothing", async () => {
  expect(await ask("sha256:00", join(folder.path, "none"))).toMatchObject({ verdict: "fail" });
  await symlink("/dev/zero", join(folder.path, "zero"));
  expect(await ask("sha256:00")).toMatchObject({ verdict: "inconclusive" });
  expect(await ask("sha256:00", "/dev/zero")).toMatchObject({ verdict: "inconclusive" });
  await symlink(".", join(folder.path, "loop"));
  expect(await ask("sha256:00")).toMatchObject({ verdict: "inconclusive" });
});

test("the digest is the configuration's", async () => {
  await writeFile(join(folder.path, "a"), "content");
  const digest = bySha256sum();
  const verification = { kind: "files", path: folder.path, digest } as const;
  expect(await probe.ask(verification, { configDigest: digest })).toMatchObject({
    verdict: "pass",
  });
});
