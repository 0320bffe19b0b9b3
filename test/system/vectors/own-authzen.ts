/** AuthZEN: a question of each kind for the interop policies, and a scenario with one section of each form. */
import type { OwnVectors } from "./own-vectors.ts";

const jerry = "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs";
const json = (value: unknown): string => JSON.stringify(value);
const one = (request: unknown, expected: unknown): string =>
  json({ evaluation: [{ request, expected }] });

const create = {
  subject: { type: "user", id: jerry },
  action: { name: "can_create_todo" },
  resource: { type: "todo", id: "new" },
};
const post = {
  subject: { type: "identity", id: jerry },
  action: { name: "POST" },
  resource: { type: "route", id: "/todos" },
};
const felix = { type: "user", id: "felix" };
const edit = { name: "edit" };
const [user, record, r106] = [{ type: "user" }, { type: "record" }, { type: "record", id: "106" }];

export const authzenInterop: OwnVectors = {
  files: {
    "authzen/todo-decisions.json": json({
      evaluation: [{ request: create, expected: false }],
      evaluations: [
        {
          request: {
            ...create,
            evaluations: [{}, { action: { name: "can_read_todos" } }],
          },
          expected: [{ decision: false }, { decision: true }],
        },
      ],
    }),
    "authzen/gateway-decisions.json": one(post, false),
    "authzen/search-subject.json": one(
      { subject: user, action: edit, resource: r106 },
      { results: [felix] },
    ),
    "authzen/search-resource.json": one(
      { subject: felix, action: edit, resource: record },
      { results: ["118", "112", "106"].map((id) => ({ ...record, id })) },
    ),
    "authzen/search-action.json": one(
      { subject: felix, resource: r106 },
      { results: ["view", "edit", "delete"].map((name) => ({ name })) },
    ),
  },
  plant: { file: "authzen/search-action.json", from: '{"name":"edit"},', to: "" },
};

const read = {
  subject: { type: "user", id: "alice" },
  action: { name: "read" },
  resource: { type: "record", id: "record-1" },
};

function section(id: string, request: unknown, expected: string, body?: string): string {
  const asked = `**Request (it):**\n\n~~~ json\n${json(request)}\n~~~`;
  const given = body === undefined ? "" : `\n\n~~~ json\n${body}\n~~~`;
  return `### A section {#${id}}\n\n${asked}\n\n**Expected:** ${expected}${given}\n\n`;
}

export const authzenCertification: OwnVectors = {
  files: {
    "authzen/evaluation-response.schema.json": json({
      type: "object",
      required: ["decision"],
      properties: { decision: { type: "boolean" }, context: { type: "object" } },
    }),
    "authzen/certification-scenario.md": [
      section("c-2-2-1", read, "HTTP 200. Response body:", '{ "decision": true }'),
      section("c-2-2-9", { ...read, extra: 1 }, 'HTTP 200, `"decision": true`.'),
      section("c-2-4-1", { ...read, action: {} }, "HTTP 400."),
      section(
        "c-3-2-1",
        { ...read, evaluations: [{}, { action: { name: "write" } }, { resource: 1 }] },
        "HTTP 200.",
        '{ "evaluations": [{ "decision": true }, { "decision": <boolean> }, { "decision": false }] }',
      ),
      section(
        "c-4-2-1",
        { ...read, subject: { type: "user" } },
        "HTTP 200.",
        '{ "results": [{ "type": "user", "id": "bob" }] }',
      ),
      section("c-4-2-3", read, "HTTP 200, identical to [](#c-4-2-1)."),
      section(
        "c-4-4-1",
        { ...read, action: 1 },
        "HTTP 200.",
        '{ "results": [{ "name": "read" }] }',
      ),
      section("c-4-7-2", { ...read, resource: { type: "record" } }, "HTTP 400."),
    ].join(""),
  },
  plant: {
    file: "authzen/certification-scenario.md",
    from: '"id": "bob"',
    to: '"id": "eve"',
  },
  reviewed: [
    { because: "tls_in_front", cases: ["c-5 HTTPS"], count: 1, reason: "not ours to end" },
  ],
};
