/** The docs say what the code is. */
import { existsSync, readFileSync } from "node:fs";
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

test("the files that ARCHITECTURE.md names exist", () => {
  const page = readFileSync("docs/ARCHITECTURE.md", "utf8");
  const room = /`((?:adapters|audit|cli|control|gateway|kernel|ledger|policy)\/[\w/.-]+)`/g;
  const named = [...page.matchAll(room)].map(([, path]) => path ?? "");
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(`src/${path}`))).toEqual([]);
});
