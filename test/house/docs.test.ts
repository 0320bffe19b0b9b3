/** The docs say what the code is. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withMap } from "../../tools/architecture.ts";

test("the map in ARCHITECTURE.md is the one that is enforced (node tools/architecture.ts writes it)", () => {
  const page = readFileSync("docs/ARCHITECTURE.md", "utf8");
  expect(withMap(page)).toBe(page);
});
