/** A clause of a standard is named where it is enforced, and in a test that proves it (AG-403 4.1 to 4.10). */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { requirements } from "../../src/failover/index.ts";

/** Rooms and folders that only tell of requirements: what they name is not enforced there. */
const tellers = /src\/failover\/(?:evidence|report|conformance)\//;

const naming = (files: readonly string[], id: string): readonly string[] => {
  const pattern = new RegExp(
    `AG-403(?:[ ,]|and|to|[48]\\.\\d{1,2})*\\b${id.replace(".", "\\.")}(?!\\d)`,
  );
  return files.filter((file) => pattern.test(readFileSync(file, "utf8")));
};

const enforcing = globSync("src/**/*.ts").filter((file) => !tellers.test(file));
const proving = globSync("test/**/*.test.ts").filter((file) => !file.startsWith("test/house/"));

test.each(requirements.map(({ id }) => id))("AG-403 %s is named where it is enforced", (id) => {
  expect(naming(enforcing, id)).not.toEqual([]);
});

test.each(requirements.map(({ id }) => id))("AG-403 %s is named in a test", (id) => {
  expect(naming(proving, id)).not.toEqual([]);
});
