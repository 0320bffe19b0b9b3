/**
 * What the room makes, whole, in files under `approved/`: a change of what OPA, a person or a machine is told must be
 * seen by a reviewer. `npx vitest run --project unit approved -u` writes them anew.
 */
import { expect, test } from "vitest";
import { err, ok, type Result } from "../../../src/kernel/index.ts";
import { parseCondition } from "../../../src/policy/cel.ts";
import { compileExpr, type Frame, membersMax } from "../../../src/policy/closures.ts";
import {
  type BundleFiles,
  buildBundle,
  explain,
  formatDiagnostic,
  loadPolicySet,
  type RegoBundle,
  type RegoBundles,
  readRequest,
  renderExplanation,
} from "../../../src/policy/index.ts";
import { printExpr } from "../../../src/policy/print.ts";
import { Failure } from "../../../src/policy/values.ts";
import { everyForm } from "./every-form.ts";
import { catalog, toolSchemas } from "./mistake.ts";
import { mistakes } from "./mistakes.ts";
import { moreMistakes } from "./more-mistakes.ts";
import { operations } from "./operations.ts";

const bundle = (): BundleFiles => {
  const { set, modules } = everyForm();
  return buildBundle(set, { serial: 7 }, modules);
};
const textOf = (path: string): string => Buffer.from(bundle().get(path) ?? []).toString();
const pretty = (json: unknown): string => `${JSON.stringify(json, null, 2)}\n`;

test("the Rego of every form", async () => {
  await expect(textOf("holdfast/conditions.rego")).toMatchFileSnapshot("approved/conditions.rego");
});

test("the files, the manifest and the document of a bundle", async () => {
  const names = [...bundle().keys()].map((name) => name.replace(/[0-9a-f]{64}/, "<digest>"));
  const [manifest, document] = [".manifest", "data.json"].map((path) => JSON.parse(textOf(path)));
  await expect(pretty({ names, manifest, document })).toMatchFileSnapshot("approved/bundle.txt");
});

test("conditions as people read them, and read again they are the same", async () => {
  const conditions = everyForm().set.rules.flatMap(({ id, when }) =>
    when && when.op !== "rego" ? [[id, when] as const] : [],
  );
  for (const [, when] of conditions)
    expect(parseCondition(printExpr(when))).toMatchObject({ expr: when, problems: [] });
  const lines = conditions.map(([id, when]) => `${id}\n  ${printExpr(when)}\n`);
  await expect(lines.join("\n")).toMatchFileSnapshot("approved/printed.txt");
});

const regoBundles: RegoBundles = new Map<string, Result<RegoBundle, string>>([
  [
    "own.tar.gz",
    ok({ wasm: Buffer.of(), data: Buffer.of(), digest: "d", entrypoints: ["own/bad", "own/good"] }),
  ],
  ["torn.tar.gz", err("the archive ends too early")],
]);

function sayings(text: string): readonly string[] {
  const files = [
    { path: "catalog.yaml", text: catalog },
    { path: "p.yaml", text },
  ];
  const { diagnostics } = loadPolicySet(files, { toolSchemas, regoBundles });
  return diagnostics.map((each) => `${each.code}  ${formatDiagnostic(each)}`);
}

test("every mistake, as it is said to people and to machines", async () => {
  const said = mistakes.map(([what, text]) => [what, ...sayings(text)].join("\n  "));
  await expect(`${said.join("\n\n")}\n`).toMatchFileSnapshot("approved/mistakes.txt");
});

test("every further mistake, and what is none", async () => {
  const short = (text: string): string => {
    const bare = text
      .replace(/^policy: p\nrules:\n- when: (.*)\n(?: .*\n)*$/, "when: $1")
      .replace(/^policy: p\nrules:\n- id: r\n.*\n/, "rule:\n")
      .trimEnd();
    return bare.length > 300 ? `${bare.slice(0, 90)}… (${bare.length} characters)` : bare;
  };
  const said = moreMistakes.map((text) => [short(text), ...sayings(text)].join("\n  "));
  await expect(`${said.join("\n\n---\n")}\n`).toMatchFileSnapshot("approved/more-mistakes.txt");
});

const frame = (): Frame => ({
  subject: { type: "agent", id: "desk", delegation: ["a", "b"], properties: {} },
  action: { name: "s:t", effect: "write", risk: "low", properties: {} },
  resource: { type: "tool", id: "s:t", properties: {} },
  args: {
    ...{
      n: 5,
      z: 0,
      half: 0.5,
      long: 0.1234567890123456,
      t: "tée\u{1f600}",
      p: true,
      q: false,
      nil: null,
    },
    ...{
      list: [1, 2, 3],
      texts: ["a", "b"],
      mixed: [1, "a"],
      empty: [],
      map: { a: 1, b: { c: [1] } },
    },
  },
  context: {},
  model: { known: false, why: "not_asked" },
  locals: [],
  membersLeft: membersMax,
});

test("every operator on values that fit and that do not, with the reason", async () => {
  const said = operations.map((text) => {
    const { expr, problems } = parseCondition(text);
    if (!expr) throw new Error(`${text}: ${problems.map(({ message }) => message).join("; ")}`);
    const value = compileExpr(expr)(frame());
    return `${text}  →  ${value instanceof Failure ? `none: ${value.why}` : JSON.stringify(value)}`;
  });
  await expect(`${said.join("\n")}\n`).toMatchFileSnapshot("approved/operations.txt");
});

const requests: readonly string[] = [
  `{ agent: desk, tool: "pay:create", delegation: [support-1], args: { amount: 5, count: 2, currency: EUR,
     memo: a, items: [{ price: 200.5, name: n }] }, context: { names: [support-1], x: 1, "a b": [c] } }`,
  `{ agent: support-1, tool: "pay:list", model: m, principal: p, tenant: t, properties: { team: a } }`,
  `{ agent: stranger, tool: "mail:send", args: { to: x }, resource: { type: box, id: in } }`,
  `{ agent: night-batch, tool: "notes:add", args: { amount: "x" }, risk: high, effect: read }`,
  `{ agent: desk, tool: "pay:create", args: { memo: "${"long ".repeat(40)}", currency: "${"E".repeat(130)}" } }`,
];

test("why each request gets its verdict", async () => {
  const { set } = everyForm();
  const said = requests.map((text) => {
    const { request, diagnostics } = readRequest({ path: "r.yaml", text }, set);
    if (!request) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
    return [pretty(request), renderExplanation(explain(set, request)), ""].join("\n");
  });
  await expect(said.join("\n---\n")).toMatchFileSnapshot("approved/explanations.txt");
});
