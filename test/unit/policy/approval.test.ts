/** Who must approve: what a rule says, what it leaves out, and what several rules ask for together. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { combineApprovals } from "../../../src/policy/approval.ts";
import {
  type ApprovalTerms,
  type Approvers,
  compile,
  explain,
  formatDiagnostic,
  loadPolicySet,
  type PolicySet,
  readRequest,
  renderExplanation,
} from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { approvalTerms } from "./generate.ts";

const unsaid: ApprovalTerms = {
  approvers: [{ groups: [], count: 1 }],
  expiresAfterSeconds: 900,
  useWithinSeconds: 300,
  batch: false,
};

function loaded(rules: string): PolicySet {
  const text = `tools:
  pay:create: { effect: write, risk: critical }
  pay:note: { effect: write, risk: low }
policy: p
rules:
${rules}`;
  const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", text }]);
  if (!set) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  return set;
}

const asks = (id: string, approval: string): string =>
  `- { id: ${id}, match: { tools: "pay:*" }, outcome: approval_needed, reason: ${id}${approval} }\n`;

test("a rule that says nothing asks one person of any group, 15 minutes, and 5 to use it", () => {
  const set = loaded(asks("plain", "") + asks("empty", ", approval: {}"));
  expect(set.rules.map(({ approval }) => approval)).toEqual([unsaid, unsaid]);
  expect(compile(set, "r").approvalOf(["p/plain"], "low")).toEqual(unsaid);
  expect(compile(set, "r").approvalOf(["p/empty", "p/plain"], "low")).toEqual(unsaid);
});

test("what a rule says is what it asks for", () => {
  const set = loaded(
    asks(
      "r",
      `, approval: { approvers: [{ groups: [b, a, b], count: 2 }, { groups: c }, {}],
      expires_after_seconds: never, use_within_seconds: 60, batch: true }`,
    ),
  );
  expect(compile(set, "r").approvalOf(["p/r"], "high")).toEqual({
    approvers: [
      { groups: ["a", "b"], count: 2 },
      { groups: ["c"], count: 1 },
      { groups: [], count: 1 },
    ],
    expiresAfterSeconds: "never",
    useWithinSeconds: 60,
    batch: true,
  });
});

test("only approval_needed carries it", () => {
  const set = loaded('- { id: a, match: { tools: "pay:*" }, outcome: allow }\n');
  expect(set.rules[0]).not.toHaveProperty("approval");
});

test("several rules: every requirement of each, the shortest times", () => {
  const set = loaded(
    asks(
      "leads",
      ", approval: { approvers: { groups: leads, count: 2 }, use_within_seconds: 30 }",
    ) +
      asks(
        "one-lead",
        ", approval: { approvers: { groups: leads }, expires_after_seconds: never, batch: true }",
      ) +
      asks(
        "security",
        ", approval: { approvers: { groups: security }, expires_after_seconds: 60, batch: true }",
      ) +
      asks("anyone", ""),
  );
  const { approvalOf } = compile(set, "r");
  expect(approvalOf(["p/anyone", "p/leads", "p/one-lead", "p/security"], "low")).toEqual({
    approvers: [
      { groups: ["leads"], count: 2 },
      { groups: ["security"], count: 1 },
    ],
    expiresAfterSeconds: 60,
    useWithinSeconds: 30,
    batch: false,
  });
  expect(approvalOf(["p/one-lead", "p/security"], "low").batch).toBe(true);
  expect(approvalOf(["p/one-lead", "p/security"], "critical").batch).toBe(false);
  expect(approvalOf([], "low")).toEqual(unsaid);
  expect(() => approvalOf(["p/other"], "low")).toThrow("there is no rule p/other");
});

test("a bundle from before there was such a thing asks what is asked by default", () => {
  const set = loaded(asks("r", ""));
  const rules = set.rules.map(({ approval: _, ...rule }) => rule);
  expect(compile({ ...set, rules }, "r").approvalOf(["p/r"], "low")).toEqual(unsaid);
});

type Person = readonly string[];

/** Whether these people, each counted once, meet all: by trying. */
function meets(people: readonly Person[], approvers: readonly Approvers[]): boolean {
  const [first, ...rest] = approvers.flatMap(({ groups, count }) => Array(count).fill(groups));
  if (first === undefined) return true;
  const left = rest.map((groups: readonly string[]) => ({ groups, count: 1 }));
  return people.some(
    (person, i) =>
      (first.length === 0 || person.some((group) => first.includes(group))) &&
      meets(people.toSpliced(i, 1), left),
  );
}

const people = fc.array(fc.subarray(["a", "b", "c", "d"]), { maxLength: 6 });

test("whoever meets the combination meets each part, and one part alone is itself", () => {
  let met = 0;
  fc.assert(
    fc.property(fc.array(approvalTerms, { minLength: 1, maxLength: 3 }), people, (parts, who) => {
      const together = combineApprovals(parts, "low");
      for (const part of parts) {
        if (meets(who, together.approvers)) expect(meets(who, part.approvers)).toBe(true);
        expect(together.useWithinSeconds).toBeLessThanOrEqual(part.useWithinSeconds);
        if (part.expiresAfterSeconds !== "never")
          expect(together.expiresAfterSeconds).toBeLessThanOrEqual(part.expiresAfterSeconds);
      }
      met += Number(meets(who, together.approvers));
      const [alone] = parts;
      if (alone && parts.length === 1)
        expect(meets(who, together.approvers)).toBe(meets(who, alone.approvers));
      expect(combineApprovals(parts.toReversed(), "low")).toEqual(together);
    }),
    { numRuns: runsOf(300) },
  );
  expect(met).toBeGreaterThan(0);
});

test("people are told who must approve", () => {
  const set = loaded(
    asks("r", ", approval: { approvers: [{ groups: [b, a], count: 2 }, {}], batch: true }") +
      asks("slow", ", approval: { expires_after_seconds: never, batch: true }"),
  );
  const told = (tool: string): string => {
    const text = `{ agent: x, tool: "${tool}" }`;
    const { request } = readRequest({ path: "r.yaml", text }, set);
    if (!request) throw new Error("no request");
    return renderExplanation(explain(set, request)).split("\n")[2] ?? "";
  };
  expect(told("pay:create")).toBe(
    "  needs 2 of a or b and 1 of any group, within 900 s; to be used within 300 s",
  );
  expect(told("pay:note")).toBe(
    "  needs 2 of a or b and 1 of any group, within 900 s; to be used within 300 s; may be decided together with others",
  );
  const slow = { ...set, rules: set.rules.filter(({ id }) => id === "p/slow") };
  const { request } = readRequest({ path: "r.yaml", text: '{ agent: x, tool: "pay:note" }' }, slow);
  expect(request && renderExplanation(explain(slow, request))).toContain(
    "needs 1 of any group, however long it takes; to be used within 300 s; may be",
  );
});
