/** What knowing tools from their servers does to a folder, and who a set could let through. */
import { expect, test } from "vitest";
import type { JsonObject, ToolId } from "../../../src/kernel/index.ts";
import { loadPolicySet, type Reach, reachOf } from "../../../src/policy/index.ts";

const toolSchemas = new Map<ToolId, JsonObject>([
  ["files:read", { type: "object", properties: { path: { type: "string" } }, required: ["path"] }],
  ["files:resources/read", {}],
]);

function problems(rule: string, more = ""): readonly string[] {
  const text = `policy: p\nrules:\n- { id: r, outcome: allow, ${rule} }\n${more}`;
  const { diagnostics } = loadPolicySet([{ path: "p.yaml", text }], { toolSchemas });
  return diagnostics.map(({ severity, code }) => `${severity} ${code}`);
}

test("nothing declared: names and arguments of servers that described themselves are checked", () => {
  expect(problems("match: { tools: files:read }, when: args.path == 'a'")).toEqual([]);
  expect(problems("match: { tools: files:resources/read }, when: args.uri == 'a'")).toEqual([]);
  expect(problems("match: { tools: files:reed }")).toEqual(["error unknown-tool"]);
  expect(problems("match: { tools: files:read }, when: args.pth == 'a'")).toEqual([
    "error unknown-field",
  ]);
  expect(problems("match: { tools: 'files:*' }, when: args.uri == 'a'")).toEqual([]);
});

test("nothing declared: nothing is held against servers that were not seen yet", () => {
  expect(problems("match: { tools: mail:send }, when: args.to == 'a'")).toEqual([]);
  expect(problems("match: { tools: 'mail:*' }")).toEqual([]);
  expect(problems("match: { tools: [files:read, mail:send] }, when: args.to == 'a'")).toEqual([]);
  expect(problems("match: { tools: '*' }, when: args.to == 'a'")).toEqual([]);
});

test("with a catalog, what is in neither is a mistake", () => {
  const catalog = "tools:\n  pay:get: { effect: read }\n";
  expect(problems("match: { tools: files:read }", catalog)).toEqual([]);
  expect(problems("match: { tools: mail:send }", catalog)).toEqual(["error unknown-tool"]);
});

function reach(...rules: readonly string[]): Reach {
  const text = `policy: p\nrules:\n${rules.map((rule, i) => `- { id: r${i}, reason: why, ${rule} }\n`).join("")}`;
  const { set } = loadPolicySet([{ path: "p.yaml", text }]);
  if (set === undefined) throw new Error(text);
  return reachOf(set, "s:t", "write");
}

test("reach: who could be let through", () => {
  const any = { tools: "match: { tools: s:t }", bot: "match: { tools: s:t, agents: bot }" };
  expect(reach(`${any.tools}, outcome: deny`)).toEqual({ agents: [], except: [] });
  expect(reach(`${any.bot}, outcome: allow`).agents).toEqual(["bot"]);
  expect(reach("outcome: allow, match: { tools: 'x:*' }").agents).toEqual([]);
  expect(reach("outcome: allow, match: { effect: read }").agents).toEqual([]);
  expect(reach(`${any.tools}, outcome: allow`, `${any.bot}, outcome: allow`).agents).toEqual(["*"]);
  expect(reach(`${any.tools}, outcome: approval_needed`, `${any.bot}, outcome: deny`)).toEqual({
    agents: ["*"],
    except: ["bot"],
  });
  expect(reach(`${any.bot}, outcome: allow`, `${any.tools}, outcome: deny`).agents).toEqual([]);
  expect(
    reach(`${any.bot}, outcome: allow`, `${any.tools}, outcome: deny, when: "args.x == 1"`).agents,
  ).toEqual(["bot"]);
});

test("arguments are checked against every tool that a rule looks at, of the effect it looks at", () => {
  const object = (field: string): JsonObject => ({
    ...{ type: "object", properties: { [field]: { type: "string" } }, required: [field] },
  });
  const schemas = new Map<ToolId, JsonObject>([
    ["m:send", object("to")],
    ["m:list", object("box")],
    ["m:more", object("any")],
  ]);
  const tools = "tools:\n  m:send: { effect: write }\n  m:list: { effect: read }\n";
  const codes = (match: string, field: string, declared = tools): readonly string[] => {
    const when = `has(args.${field})`;
    const text = `policy: p\nrules:\n- { id: r, outcome: allow, match: ${match}, when: ${when} }\n`;
    const files = [{ path: "p.yaml", text: text + declared }];
    return loadPolicySet(files, { toolSchemas: schemas }).diagnostics.map(({ code }) => code);
  };
  expect(codes("{ tools: m:send }", "to")).toEqual([]);
  expect(codes("{ tools: m:send }", "box")).toEqual(["unknown-field"]);
  expect(codes("{ tools: [m:send, m:list] }", "box")).toEqual([]);
  expect(codes("{ tools: [m:send, m:list] }", "any")).toEqual(["unknown-field"]);
  expect(codes('{ tools: "m:*", effect: write }', "box")).toEqual(["unknown-field"]);
  expect(codes('{ tools: "m:*", effect: read }', "box")).toEqual([]);
  expect(codes('{ tools: "m:*", effect: read }', "to")).toEqual(["unknown-field"]);
  expect(codes('{ tools: "m:*", effect: read }', "any")).toEqual([]);
  expect(codes("{ agents: a }", "what")).toEqual([]);
  expect(codes("{ tools: m:none }", "what", "")).toEqual(["unknown-tool"]);
});

test("a tool without arguments has no fields", () => {
  const toolSchemas = new Map<ToolId, JsonObject>([["m:now", { type: "object", properties: {} }]]);
  const text =
    "policy: p\nrules:\n- { id: r, outcome: allow, match: { tools: m:now }, when: has(args.x) }\n";
  const { diagnostics } = loadPolicySet([{ path: "p.yaml", text }], { toolSchemas });
  expect(diagnostics.map(({ message, hint }) => `${message}: ${hint}`)).toEqual([
    "args has no field x: it has no fields",
  ]);
});
