/** The code and the package tell the same version. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { version } from "../../src/main/version.ts";

test("src/main/version.ts is the version of package.json", () => {
  expect(version).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
});
