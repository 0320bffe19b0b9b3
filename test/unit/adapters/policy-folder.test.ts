/** A policy folder is read whole or not at all, and its changes arrive as whole snapshots. */
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type PolicyFolder,
  readPolicyFolder,
  watchPolicyFolder,
} from "../../../src/adapters/policy-folder/index.ts";

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "holdfast-policies-"));
}

test("YAML and JSON below the folder, sorted, cases apart, hidden names left out", async () => {
  const path = newFolder();
  mkdirSync(join(path, "team"));
  mkdirSync(join(path, ".git"));
  const names = ["b.yml", "a.yaml", "team/c.json", "a.test.yaml", "README.md", ".git/x.yaml"];
  for (const name of [...names, "team/own.tar.gz"]) writeFileSync(join(path, name), name);
  const read = await readPolicyFolder(path);
  expect(read).toEqual({
    ok: true,
    value: {
      policies: ["a.yaml", "b.yml", "team/c.json"].map((name) => ({ path: name, text: name })),
      cases: [{ path: "a.test.yaml", text: "a.test.yaml" }],
      archives: [{ path: "team/own.tar.gz", bytes: Buffer.from("team/own.tar.gz") }],
    },
  });
});

test("a file that cannot be read fails the whole", async () => {
  const path = newFolder();
  writeFileSync(join(path, "a.yaml"), "a");
  symlinkSync("nowhere", join(path, "b.yaml"));
  expect(await readPolicyFolder(path)).toEqual({
    ok: false,
    error: { path: join(path, "b.yaml"), code: "ENOENT" },
  });
  unlinkSync(join(path, "b.yaml"));
  writeFileSync(join(path, "b.yaml"), Buffer.from([0xff, 0xfe]));
  expect(await readPolicyFolder(path)).toMatchObject({ ok: false, error: { code: "NOT_UTF8" } });
});

test("a watch delivers the first snapshot, then each settled change, and nothing after stop", async () => {
  const path = newFolder();
  writeFileSync(join(path, "a.yaml"), "0");
  const seen: string[] = [];
  let arrived = (): void => {};
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      arrived = resolve;
    });
  const textOf = (folder: PolicyFolder): string => folder.policies.map(({ text }) => text).join();
  const first = next();
  const watching = watchPolicyFolder(path, {
    debounceMs: 20,
    pollMs: 200,
    onSnapshot: (snapshot) => {
      seen.push(snapshot.ok ? textOf(snapshot.value) : snapshot.error.code);
      arrived();
    },
  });
  await first;
  const changed = next();
  for (let i = 1; i <= 5; i++) writeFileSync(join(path, "a.yaml"), `${i}`);
  await changed;
  const gone = next();
  renameSync(path, `${path}-gone`);
  await gone;
  watching.stop();
  renameSync(`${path}-gone`, path);
  writeFileSync(join(path, "a.yaml"), "late");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(seen).toEqual(["0", "5", "ENOENT"]);
});
