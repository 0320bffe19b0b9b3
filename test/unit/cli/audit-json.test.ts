import { expect, test } from "vitest";
import type { IndexedEntry } from "../../../src/audit/index.ts";
import { entryJson } from "../../../src/cli/audit-table.ts";

test("a line of JSON holds nothing that a terminal obeys or hides, and is the same JSON", () => {
  const agent = "a\u009b2Jb\u202ec\u200bd\u007fe\u{e0041}f\u0000";
  const entry = { kind: "decision", agent_id: agent } as unknown as IndexedEntry["entry"];
  const line = entryJson({ index: 3, entry } as IndexedEntry);
  expect(line).not.toMatch(/\p{C}/u);
  expect(JSON.parse(line)).toEqual({ index: 3, kind: "decision", agent_id: agent });
});
