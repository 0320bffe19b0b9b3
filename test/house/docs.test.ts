/** The docs say what the code is. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withMap } from "../../tools/architecture.ts";
import { architectureSvg } from "../../tools/architecture-picture.ts";

test("the map in ARCHITECTURE.md is the one that is enforced (node tools/architecture.ts writes it)", () => {
  const page = readFileSync("docs/ARCHITECTURE.md", "utf8");
  expect(withMap(page)).toBe(page);
});

test("the picture shows the rooms and the imports there are (node tools/architecture.ts draws it)", () => {
  expect(readFileSync("docs/ARCHITECTURE.md", "utf8")).toContain("](architecture.svg)");
  expect(architectureSvg()).toBe(readFileSync("docs/architecture.svg", "utf8"));
});
