/** Other arguments in the place of those that were asked about. */
import { expect, test } from "vitest";
import {
  type Approval,
  type Approver,
  asked,
  type Proposal,
  proposed,
  type Question,
  showsAll,
} from "../../../src/approvals/index.ts";
import { digestOf } from "../../../src/kernel/index.ts";

const args = { amount: 100 };
const question: Question = {
  ...{ tenant: "t", agent: "bot", delegation: [], principal: "carol", tool: "pay:pay" },
  ...{ model: null, effect: "write", risk: "high", batch: false },
  ...{ args_digest: digestOf(args), args_redacted: args },
  ...{ cost_estimate_micro_usd: 0, definition_digest: null, policy_version: "r" },
  ...{
    determining_rules: ["p/r"],
    reason: "look",
    requirements: [{ groups: ["leads"], count: 1 }],
  },
};
const asking = {
  id: "apr-1",
  instance: "g",
  validMs: 1_000,
  useWithinMs: 500,
  afterUnknown: "apr-0",
};
const made = (more: Partial<Question> = {}): Approval => asked({ ...question, ...more }, asking, 0);
const alice: Approver = { id: "alice", groups: ["leads"], alsoKnownAs: [] };
const proposal: Proposal = {
  ...{ args: { amount: 5 }, id: "apr-2", reason: " less ", channel: "api", jti: "j" },
};

test("the question is declined and names the other; the other has this approver's yes and what was left of the time", () => {
  const done = proposed(made(), alice, proposal, 400);
  if (!done.ok) throw new Error(done.error.detail);
  const { declined, instead } = done.value;
  expect(declined).toMatchObject({
    ...{ id: "apr-1", version: 2, state: "declined", closed_ms: 400, grant: null },
    closed_because: "superseded by apr-2",
    superseded_by: { id: "apr-2", args: { amount: 5 } },
    votes: [{ approver: "alice", verdict: "decline", reason: "less", channel: "api" }],
  });
  expect(instead).toEqual({
    ...asked(
      { ...question, args_redacted: { amount: 5 }, args_digest: digestOf({ amount: 5 }) },
      { ...asking, id: "apr-2", validMs: 600, afterUnknown: null },
      400,
    ),
    ...{ version: 2, state: "granted", grant: { jti: "j", at_ms: 400, expires_ms: 900 } },
    votes: [
      {
        ...{ approver: "alice", verdict: "approve", reason: "less", groups: ["leads"] },
        ...{ channel: "api", at_ms: 400 },
      },
    ],
  });
});

test("where more must agree, the other waits for them, and for ever if the question did", () => {
  const two = asked(
    { ...question, requirements: [{ groups: [], count: 2 }] },
    { ...asking, validMs: null },
    0,
  );
  const done = proposed(two, alice, { ...proposal, version: 1 }, 400);
  expect(done.ok && done.value.instead).toMatchObject({
    ...{ state: "pending", expires_ms: null, grant: null },
  });
});

test("nothing is proposed by who may not answer, of what is not seen, or of what is the same", () => {
  const kind = (approval: Approval, by: Approver, more: Partial<Proposal> = {}): string => {
    const done = proposed(approval, by, { ...proposal, ...more }, 400);
    return done.ok ? "ok" : done.error.kind;
  };
  expect(kind(made(), alice, { args })).toBe("same_arguments");
  expect(kind(made({ args_redacted: { amount: "[redacted]" } }), alice)).toBe("not_all_shown");
  expect(kind(made({ principal: "alice" }), alice)).toBe("own_request");
  expect(kind(made(), { ...alice, groups: [] })).toBe("not_asked");
  expect(kind(made(), alice, { reason: " " })).toBe("reason_missing");
  expect(kind(made(), alice, { version: 7 })).toBe("changed");
  expect(kind({ ...made(), state: "granted" }, alice)).toBe("closed");
  expect([showsAll(made()), showsAll(made({ args_redacted: {} }))]).toEqual([true, false]);
});
