/** Retention and read access of evidence: configurable, and closed where nothing is said. */
import { expect, test } from "vitest";
import {
  classOf,
  expiryOf,
  mayRead,
  retentionRules,
} from "../../../../src/failover/evidence/index.ts";

test("each file of a pack has a class; what has none is readable by nobody", () => {
  expect(classOf("records/fo-1.json")).toBe("records");
  expect(classOf("grt.json")).toBe("grt");
  expect(classOf("constructor")).toBeUndefined();
  expect(mayRead("secrets/key.pem", ["operator", "auditor", "regulator"])).toBe(false);
  expect(mayRead("VERIFY.md", [])).toBe(true);
});

test("who may read what follows the roles", () => {
  expect(mayRead("records/fo-1.json", ["regulator"])).toBe(true);
  expect(mayRead("probes.json", ["regulator"])).toBe(false);
  expect(mayRead("probes.json", ["regulator", "auditor"])).toBe(true);
  expect(mayRead("records/fo-1.json", ["agent"])).toBe(false);
  const rules = retentionRules({ probes: { readers: ["regulator"] } });
  expect(rules.ok && mayRead("probes.json", ["regulator"], rules.value)).toBe(true);
  expect(rules.ok && mayRead("probes.json", ["auditor"], rules.value)).toBe(false);
});

test("a file may go after its days, and never when nobody knows how old it is", () => {
  const rules = retentionRules({ drills: { keep_days: 30 } });
  expect(rules.ok && expiryOf("drills/dr-1.json", "2026-02-01T00:00:00Z", rules.value)).toEqual({
    ok: true,
    value: "2026-03-03T00:00:00.000Z",
  });
  expect(expiryOf("drills/dr-1.json", "yesterday").ok).toBe(false);
  expect(expiryOf("other/x", "2026-02-01T00:00:00Z").ok).toBe(false);
});

test.each<[unknown, RegExp]>([
  [{ drils: { keep_days: 1 } }, /drils is no class/],
  [{ drills: { keep_days: 0 } }, /whole number of days/],
  [{ drills: { keep_days: 1.5 } }, /whole number of days/],
  [{ drills: { readers: "auditor" } }, /list of roles/],
  [7, /retention is an object/],
])("refused: %j", (given, message) => {
  const rules = retentionRules(given);
  expect(rules.ok ? "" : rules.error.join()).toMatch(message);
});
