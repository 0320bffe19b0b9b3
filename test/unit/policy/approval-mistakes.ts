/** Mistakes in `approval:` of a rule. */
import { type Row, withRule } from "./mistake.ts";

const approval = (lines: string): string =>
  withRule(`  outcome: approval_needed\n  reason: r\n  approval:\n${lines}`);

export const approvalMistakes: readonly Row[] = [
  [
    "approval of another outcome",
    withRule("  outcome: allow\n  approval: { approvers: { groups: leads } }"),
    "6:13",
    "bad-approval",
    /allow asks nobody/,
  ],
  [
    "unknown field of approval",
    approval("    aprovers: { groups: leads }"),
    "8:5",
    "unknown-field",
    /aprovers/,
    "approvers",
  ],
  [
    "unknown field of approvers",
    approval("    approvers: { group: leads }"),
    "8:18",
    "unknown-field",
    /"group"/,
    "groups",
  ],
  [
    "nobody",
    approval("    approvers: { groups: leads, count: 0 }"),
    "8:40",
    "wrong-type",
    /at least 1/,
  ],
  [
    "more people than can be asked",
    approval("    approvers: { groups: leads, count: 17 }"),
    "8:40",
    "out-of-range",
    /17 is over 16/,
  ],
  ["no approvers", approval("    approvers: []"), "8:16", "empty", /empty/],
  ["no groups", approval("    approvers: { groups: [] }"), "8:26", "empty", /empty/],
  [
    "a pattern of groups",
    approval("    approvers: { groups: 'lead*' }"),
    "8:26",
    "bad-name",
    /whole name, without \*/,
  ],
  [
    "the same groups twice",
    approval("    approvers: [{ groups: [a, b] }, { groups: [b, a, b] }]"),
    "8:37",
    "bad-approval",
    /asked twice/,
  ],
  [
    "too many kinds",
    approval(`    approvers: [${"abcdefghi".replace(/./g, "{ groups: $& }, ")}]`),
    "8:5",
    "out-of-range",
    /9 kinds of approvers are over 8/,
  ],
  [
    "a word for a time",
    approval("    expires_after_seconds: nevr"),
    "8:28",
    "unknown-word",
    /nevr/,
    "never",
  ],
  ["no time at all", approval("    expires_after_seconds: 0"), "8:28", "wrong-type", /at least 1/],
  [
    "more than thirty days",
    approval("    expires_after_seconds: 2592001"),
    "8:28",
    "out-of-range",
    /over 2592000/,
  ],
  [
    "a grant that never ends",
    approval("    use_within_seconds: never"),
    "8:25",
    "wrong-type",
    /whole number/,
  ],
  [
    "a grant of more than a day",
    approval("    use_within_seconds: 86401"),
    "8:25",
    "out-of-range",
    /over 86400/,
  ],
  [
    "critical calls in a batch",
    approval("    batch: true"),
    "8:12",
    "bad-approval",
    /decided by itself/,
  ],
];
