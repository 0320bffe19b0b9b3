/** The JSON Schemas for editors say what the loader says. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compileSchema } from "../../../src/adapters/json-schema/index.ts";
import { readPolicyFolder } from "../../../src/adapters/policy-folder/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { json } from "../../../src/policy/decode.ts";
import { loadPolicySet, parseSource, runCases } from "../../../src/policy/index.ts";
import {
  agentFields,
  approvalFields,
  approverFields,
  fileFields,
  limitFields,
  matchFields,
  obligationFields,
  regoFields,
  ruleFields,
  toolFields,
} from "../../../src/policy/source.ts";
import { mistakes } from "./mistakes.ts";

const read = (name: string): JsonObject => JSON.parse(readFileSync(`schemas/${name}`, "utf8"));
const policySchema = read("policy.schema.json");
const checkPolicy = compileSchema(policySchema);
const checkCases = compileSchema(read("policy-test.schema.json"));

function value(text: string): unknown {
  const { root } = parseSource("x.yaml", text);
  return root && json(root, () => {});
}

test("the fields of the schema are those of the loader", () => {
  const defs = policySchema["$defs"] as Record<string, { properties: object }>;
  const fieldsOf = (of: { properties?: object } | undefined): string[] =>
    Object.keys(of?.properties ?? {}).sort();
  const same: readonly [object, { properties?: object } | undefined][] = [
    [fileFields, policySchema],
    [toolFields, defs["tool"]],
    [agentFields, defs["agent"]],
    [matchFields, defs["match"]],
    [ruleFields, defs["rule"]],
    [regoFields, defs["rego"]],
    [limitFields, defs["limit"]],
    [approvalFields, defs["approval"]],
    [approverFields, defs["approvers"]],
    [obligationFields, defs["obligation"]],
  ];
  for (const [fields, schema] of same) expect(fieldsOf(schema)).toEqual(Object.keys(fields).sort());
});

test("what the schema refuses, the loader refuses", () => {
  let refused = 0;
  for (const [what, text] of mistakes) {
    if (value(text) === undefined || checkPolicy(value(text)).length === 0) continue;
    refused++;
    expect(loadPolicySet([{ path: "p.yaml", text }]).set, what).toBeUndefined();
  }
  expect(refused).toBeGreaterThan(10);
});

test("the example policies are valid, and their cases pass", async () => {
  const folder = await readPolicyFolder("examples/policies");
  if (!folder.ok) throw new Error(folder.error.path);
  const { policies, cases } = folder.value;
  for (const { path, text } of policies) expect(checkPolicy(value(text)), path).toEqual([]);
  for (const { path, text } of cases) expect(checkCases(value(text)), path).toEqual([]);
  const { set, diagnostics } = loadPolicySet(policies);
  expect(diagnostics).toEqual([]);
  const run = set && runCases(set, cases);
  expect(run?.diagnostics).toEqual([]);
  expect(run?.results.length).toBeGreaterThan(10);
  expect(run?.results.flatMap(({ failures }) => failures)).toEqual([]);
});
