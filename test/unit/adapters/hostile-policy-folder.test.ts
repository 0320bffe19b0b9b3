/** Policy folders of somebody who may write policies, and nothing else. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readPolicyFolder } from "../../../src/adapters/policy-folder/index.ts";

const made = { path: "" };
const at = (name: string): string => join(made.path, "policies", name);

beforeEach(() => {
  made.path = mkdtempSync(join(tmpdir(), "holdfast-folder-"));
  mkdirSync(at(""));
  writeFileSync(at("good.yaml"), "policy: good\n");
});
afterEach(() => rmSync(made.path, { recursive: true, force: true }));

const refused: readonly (readonly [what: string, code: string, make: () => void])[] = [
  [
    "a link to a file elsewhere",
    "LEAVES_THE_FOLDER",
    () => symlinkSync("/etc/passwd", at("p.yaml")),
  ],
  ["a link to a folder elsewhere", "LEAVES_THE_FOLDER", () => symlinkSync("/etc", at("etc"))],
  ["a link to the folder itself", "LEAVES_THE_FOLDER", () => symlinkSync(at(""), at("again"))],
  ["a link that leads nowhere", "ENOENT", () => symlinkSync("nowhere", at("p.yaml"))],
  ["a link to itself", "ELOOP", () => symlinkSync(at("p.yaml"), at("p.yaml"))],
  ["a device", "LEAVES_THE_FOLDER", () => symlinkSync("/dev/zero", at("p.yaml"))],
  ["a pipe that nobody writes", "NOT_A_FILE", () => spawnSync("mkfifo", [at("p.yaml")])],
  ["bytes that are no text", "NOT_UTF8", () => writeFileSync(at("p.yaml"), Buffer.of(0xff, 0xfe))],
  [
    "a file of 100 GB",
    "FILE_OVER_4_MIB",
    () => {
      writeFileSync(at("p.yaml"), "");
      truncateSync(at("p.yaml"), 100e9);
    },
  ],
  [
    "folders that go too deep",
    "OVER_16_FOLDERS_DEEP",
    () => mkdirSync(at("a/".repeat(20)), { recursive: true }),
  ],
  [
    "folders that lead to one another",
    "OVER_16_FOLDERS_DEEP",
    () => {
      for (const name of ["a", "b"]) mkdirSync(at(name));
      symlinkSync(at("b"), at("a/b"));
      symlinkSync(at("a"), at("b/a"));
    },
  ],
];

test.each(refused)("%s: the folder is refused, %s", async (_, code, make) => {
  make();
  expect(await readPolicyFolder(at(""))).toMatchObject({ ok: false, error: { code } });
});

test("links inside the folder are followed, as Kubernetes mounts a ConfigMap", async () => {
  mkdirSync(at("..2026_01_01"));
  writeFileSync(at("..2026_01_01/mounted.yaml"), "policy: mounted\n");
  symlinkSync("..2026_01_01", at("..data"));
  symlinkSync("..data/mounted.yaml", at("mounted.yaml"));
  const read = await readPolicyFolder(at(""));
  expect(read.ok && read.value.policies.map(({ path }) => path)).toEqual([
    "good.yaml",
    "mounted.yaml",
  ]);
});
