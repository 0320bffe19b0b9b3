/** What happens to an approval beside votes. */
import { expect, test } from "vitest";
import {
  type Approval,
  asked,
  claimed,
  presently,
  type Question,
  revoked,
  settled,
} from "../../../src/approvals/index.ts";

const question: Question = {
  ...{ tenant: "t", agent: "a", delegation: [], principal: null, tool: "pay:create" },
  ...{ args_digest: "sha256:1", model: null, effect: "write", risk: "high", args_redacted: {} },
  ...{ cost_estimate_micro_usd: 0, definition_digest: null, policy_version: "r1" },
  ...{ determining_rules: ["p/large"], reason: "large", batch: false },
  requirements: [{ groups: [], count: 1 }],
};
const asking = {
  ...{ id: "apr-1", instance: "g", validMs: 1_000, useWithinMs: 500, afterUnknown: null },
};
const pending = asked(question, asking, 100);
const granted: Approval = {
  ...pending,
  state: "granted",
  grant: { jti: "j", at_ms: 200, expires_ms: 700 },
};
const held = claimed(granted, { call: "c-1", instance: "g", run: "1" });

test("time ends what waits and what is not used, to the millisecond; never what a call holds", () => {
  expect([presently(pending, 1_099).state, presently(pending, 1_100).state]).toEqual([
    "pending",
    "expired",
  ]);
  expect([presently(granted, 699).state, presently(granted, 700).state]).toEqual([
    "granted",
    "expired",
  ]);
  expect(presently(held, 1_000_000)).toBe(held);
  const patient = asked(question, { ...asking, validMs: null }, 100);
  expect(presently(patient, 1_000_000)).toBe(patient);
});

test("only the call that holds it settles it", () => {
  expect(settled(held, "c-2", "done", 300)).toBe(held);
  expect(settled(granted, "c-1", "done", 300)).toBe(granted);
  expect(settled(held, "c-1", "done", 300)).toMatchObject({ state: "used", closed_ms: 300 });
  expect(settled(held, "c-1", "unknown", 300).state).toBe("unknown");
  expect(settled(held, "c-1", "not_sent", 300)).toMatchObject({ state: "granted", claim: null });
});

test("people take back what was not used; what a call holds may have taken effect, and says so", () => {
  expect(revoked(pending, "no", 300).state).toBe("revoked");
  expect(revoked(granted, "no", 300)).toMatchObject({ state: "revoked", closed_because: "no" });
  expect(revoked(held, "g is gone", 300)).toMatchObject({
    state: "unknown",
    closed_because: "g is gone; call c-1 of gateway g held it and may have taken effect",
  });
  const used = settled(held, "c-1", "done", 300);
  expect(revoked(used, "no", 400)).toBe(used);
});
