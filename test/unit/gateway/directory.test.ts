/** The directory completes what a request leaves unsaid, the same for every face. */
import { expect, test } from "vitest";
import type { ToolRequest } from "../../../src/gateway/call.ts";
import { Directory } from "../../../src/gateway/directory.ts";
import { known, realSpine } from "./authzen/real-spine.ts";
import { someone } from "./fake-spine.ts";

const policy = `
tools:
  desk:read: { effect: read, risk: low }
policy: rooms
rules:
  - id: same-floor
    match: { tools: "desk:read" }
    when: subject.properties.floor == resource.properties.floor
    outcome: allow
  - id: closed
    match: { tools: "desk:*" }
    when: has(subject.properties.gone)
    outcome: deny
    reason: Who is gone, is gone
`;
const desk = known("tool", "desk:read", { floor: 3 });
const request: ToolRequest = {
  face: "mcp",
  method: "tools/call",
  identity: someone,
  tool: "desk:read",
  args: {},
};
const sent = async () => ({ outcome: "ok", resultBytes: 0, answer: "" }) as const;

test("a call over MCP sees the properties that an evaluation sees", async () => {
  const on = (floor: number) =>
    realSpine(policy, { subjects: [known("agent", "buyer", { floor })], resources: [desk] });
  const third = on(3).spine;
  expect((await third.govern(request, sent)).decision.decision).toBe("allow");
  expect((await third.evaluate(request)).decision.decision).toBe("allow");
  const fourth = on(4).spine;
  expect((await fourth.govern(request, sent)).decision.decision).toBe("deny");
});

test("what the token says wins, and nothing is completed for another tenant", async () => {
  const { spine } = realSpine(policy, {
    subjects: [known("agent", "buyer", { floor: 4 })],
    resources: [desk],
  });
  const told = { ...someone, properties: { floor: 3 } };
  const decisionFor = async (identity: typeof someone) =>
    (await spine.evaluate({ ...request, identity })).decision.decision;
  expect(await decisionFor(told)).toBe("allow");
  expect(await decisionFor(someone)).toBe("deny");
  expect(await decisionFor({ ...told, tenant: "other" })).toBe("deny");
});

test("tools/list is filtered by the completed subject", () => {
  const { spine } = realSpine(policy, { subjects: [known("agent", "buyer", { gone: true })] });
  expect(spine.couldCall(someone, "desk:read")).toBe(false);
  expect(spine.couldCall({ ...someone, agent: "seller" }, "desk:read")).toBe(true);
});

test("a user is not the agent of the same id; ids come sorted", () => {
  const directory = new Directory([
    known("user", "b", { a: 1 }),
    known("user", "a"),
    known("agent", "c"),
  ]);
  expect(directory.subjectIds("acme", "user")).toEqual(["a", "b"]);
  expect(directory.subjectIds("other", "user")).toEqual([]);
  expect(directory.completeSubject({ ...someone, agent: "b" }).properties).toEqual({});
  expect(directory.completeSubject({ ...someone, agent: "user:b" }).properties).toEqual({ a: 1 });
});
