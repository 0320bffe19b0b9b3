/** The live run with every other fault: the injected one is named, and the fix is felt as predicted. Seed 0 is asked every day. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test.each([1, 2, 3, 4, 5])("seed %i", (seed) => {
  const args = ["tools/demo-model/run.ts", "--seed", String(seed)];
  const run = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ code: run.status, said: run.status === 0 ? "" : run.stderr + run.stdout }).toEqual({
    code: 0,
    said: "",
  });
});
