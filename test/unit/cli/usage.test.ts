/** Who uses a command wrongly is told of the help of that command, not of the whole. */
import { expect, test, vi } from "vitest";
import { createProgram, type Processes } from "../../../src/cli/index.ts";

test.each([
  [["model", "ingest"], "(holdfast model ingest --help shows what there is)"],
  [["why", "x", "--nonsense"], "(holdfast why --help shows what there is)"],
  [["--nonsense"], "(holdfast --help shows what there is)"],
])("%j", async (words, hint) => {
  const told: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    told.push(String(text));
    return true;
  });
  try {
    expect(await createProgram({ version: "0" } as Processes).run(words)).toBe(2);
  } finally {
    spy.mockRestore();
  }
  expect(told.join("")).toContain(hint);
});
