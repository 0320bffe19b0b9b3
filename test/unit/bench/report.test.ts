/** A table replaces the last one of its kind, and nothing else of the page. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeReport } from "../../../bench/report.ts";

function file(content?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "page.md");
  if (content !== undefined) writeFileSync(path, content);
  return path;
}

test("between its marks, as often as it is run", () => {
  const page = file(
    "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n<!-- y: begin -->\n<!-- y: end -->\n",
  );
  writeReport(page, "x", "| first |\n");
  writeReport(page, "x", "| new |\n");
  expect(readFileSync(page, "utf8")).toBe(
    "a\n<!-- x: begin -->\n\n| new |\n\n<!-- x: end -->\nb\n<!-- y: begin -->\n<!-- y: end -->\n",
  );
});

test("the whole of a file without marks, or of none", () => {
  const pages = [file("something else"), file()];
  for (const page of pages) writeReport(page, "x", "| new |\n");
  expect(pages.map((page) => readFileSync(page, "utf8"))).toEqual(["| new |\n", "| new |\n"]);
});
