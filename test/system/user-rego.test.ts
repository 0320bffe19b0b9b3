/** Users' own Rego: what it answers, and that nothing it does lets a call through or keeps others waiting. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RegoThreads, readRegoBundles } from "../../src/adapters/rego/index.ts";
import type { JsonObject } from "../../src/kernel/index.ts";
import {
  compile,
  loadPolicySet,
  type ModelFacts,
  modelNotAsked,
  type PolicyRequest,
  RegoAnswers,
  type RegoBundles,
  type RegoCondition,
} from "../../src/policy/index.ts";
import { buildWasm } from "./opa/build-wasm.ts";
import { bundleKeyOf, OpaServer, opaConfig } from "./opa/opa-server.ts";
import { type Answer, ask, root, until, type World, world } from "./product/harness.ts";

const rego = `
package fraud
import rego.v1

default suspicious := false
suspicious if input.args.amount > data.limits.amount
suspicious if input.subject.id in data.blocked

default trusted := false
trusted if input.args.amount < 10

# Undefined unless the amount is one.
one if input.args.amount == 1

words := concat(" ", ["neither", "true", "nor", "false"])

# 4,000,000 rounds.
slow if {
	some i in numbers.range(1, 2000)
	some j in numbers.range(1, 2000)
	i * j == -1
}

bomb if count({text | some i in numbers.range(1, 3000000); text := format_int(i, 10)}) > 0

default wide := true
wide := false if {
	input.model.known
	input.model.blastRadius.trafficShare <= 0.25
}
unguarded if input.model.blastRadius.trafficShare > 0.25
conflict := input.args.amount
conflict := 7
`;
const entrypoints = [
  ..."suspicious trusted one words slow bomb wide unguarded conflict"
    .split(" ")
    .map((rule) => `fraud/${rule}`),
];
const data = { limits: { amount: 1_000 }, blocked: ["mallory"] };
const shared = {
  archive: Buffer.alloc(0) as Buffer,
  threads: undefined as RegoThreads | undefined,
};
const threads = (): RegoThreads => shared.threads as RegoThreads;
let bundles: RegoBundles;

beforeAll(async () => {
  shared.archive = buildWasm(rego, entrypoints, data);
  shared.threads = new RegoThreads({ threads: 1 });
  const formatting = `package a\nimport rego.v1\nbad if sprintf("%d", [input.n]) == "1"\n`;
  bundles = await readRegoBundles(
    [
      { path: "fraud.tar.gz", bytes: shared.archive },
      { path: "formats.tar.gz", bytes: buildWasm(formatting, ["a/bad"]) },
      { path: "garbage.tar.gz", bytes: Buffer.from("no archive") },
      { path: "cut.tar.gz", bytes: shared.archive.subarray(0, 2_000) },
    ],
    threads(),
  );
});
afterAll(() => threads().close());

const fraud = () => {
  const bundle = bundles.get("fraud.tar.gz");
  if (bundle?.ok !== true) throw new Error(bundle?.error);
  return bundle.value;
};

/** Long enough for a busy machine, unless the test says otherwise. */
const condition = (rule: string, more: Partial<RegoCondition> = {}): RegoCondition => ({
  ...{ op: "rego", module: fraud().digest, entrypoint: `fraud/${rule}` },
  ...{ timeoutMs: 5_000, memoryMiBMax: 16, ...more },
});
const asked = (amount: number, id = "desk"): JsonObject => ({ subject: { id }, args: { amount } });

const payment: PolicyRequest = {
  subject: { type: "agent", id: "desk", delegation: [], properties: {} },
  action: { name: "pay:x", effect: "write", risk: "high", properties: {} },
  resource: { type: "tool", id: "pay:x", properties: {} },
  args: { amount: 1 },
  context: {},
};
const facts = (share: number): ModelFacts => ({
  ...{ known: true, target: "service:cart", ageSeconds: 1, dependents: 0, recentChanges: 0 },
  blastRadius: {
    ...{ trafficShare: share, trafficShareLow: 0, trafficShareHigh: 1 },
    ...{ services: 1, zones: [], dataClasses: [] },
  },
  memory: { count: 0, sameChange: 0 },
});

describe("a module", () => {
  beforeAll(async () => {
    expect(await threads().load(new Map([[fraud().digest, fraud()]]))).toEqual({ ok: true });
  });
  const answer = async (rule: string, input = asked(50), more: Partial<RegoCondition> = {}) => {
    const said = await threads().ask({ condition: condition(rule, more), input });
    return said.ok ? said.value : said.error;
  };

  test("answers from its input and its data, and the same each time", async () => {
    for (let i = 0; i < 3; i++) {
      expect(await answer("suspicious")).toBe(false);
      expect(await answer("suspicious", asked(1_001))).toBe(true);
      expect(await answer("suspicious", asked(1, "mallory"))).toBe(true);
      expect(await answer("one", asked(1))).toBe(true);
    }
  });

  test("sees the facts of the model as our own conditions do; a missing one is undefined", async () => {
    const compiled = (rest: string, outcome: string) => {
      const text = `policy: p\nrules:\n  - id: r\n    match: { tools: "pay:*" }\n    ${rest}\n    outcome: ${outcome}\n    reason: r\n`;
      const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", text }], {
        regoBundles: bundles,
      });
      if (set === undefined) throw new Error(JSON.stringify(diagnostics));
      return compile(set, "r");
    };
    const own = compiled(
      'when: "!model.known || model.blastRadius.trafficShare > 0.25"',
      "approval_needed",
    );
    const theirs = compiled(
      "rego: { bundle: fraud.tar.gz, entrypoint: fraud/wide }",
      "approval_needed",
    );
    for (const model of [facts(0.1), facts(0.25), facts(0.9), modelNotAsked, undefined]) {
      const request = { ...payment, ...(model !== undefined && { model }) };
      const [question] = theirs.regoQuestions(request);
      const input = question?.input ?? {};
      const isWide = own.decide(request, new RegoAnswers()).outcome === "approval_needed";
      expect(await answer("wide", input)).toBe(isWide);
      const unguarded = await answer("unguarded", input);
      if (model?.known === true && model.blastRadius.trafficShare > 0.25)
        expect(unguarded).toBe(true);
      else expect(unguarded).toMatch(/undefined/);
    }
  });

  test.each<[string, string, Partial<RegoCondition>, RegExp]>([
    ["an undefined value", "one", {}, /^it is undefined$/],
    ["a text", "words", {}, /^it is neither true nor false$/],
    ["two values at once", "conflict", {}, /conflict|multiple/i],
    ["no such entrypoint", "missing", {}, /^it has no entrypoint fraud\/missing$/],
    // With room, so that it is time that runs out.
    ["too long", "slow", { timeoutMs: 20, memoryMiBMax: 256 }, /^it took more than 20 ms$/],
    ["too much memory", "bomb", { memoryMiBMax: 4 }, /opa_malloc: failed|grow/i],
    ["a module that is not there", "one", { module: "00" }, /not loaded/],
  ])("%s is no answer, and the next question has one", async (_, rule, more, why) => {
    expect(await answer(rule, asked(50), more)).toMatch(why);
    expect(await answer("suspicious", asked(2_000))).toBe(true);
  });

  test("input that does not fit into its memory is no answer", async () => {
    const large = { ...asked(50), note: "x".repeat(3 * 1024 * 1024) };
    expect(await answer("suspicious", large, { memoryMiBMax: 2 })).toMatch(/\S/);
    expect(await answer("suspicious", large)).toBe(false);
  });

  test("a flood is refused at once, not kept", async () => {
    const many = Array.from({ length: 60 }, () => answer("suspicious"));
    const answers = await Promise.all(many);
    expect(answers).toContain("too much Rego is waiting already");
    expect(answers).toContain(false);
  });

  test("the module of the load before still answers, older ones do not", async () => {
    const own = new RegoThreads({ threads: 2 });
    const question = { condition: condition("suspicious"), input: asked(50) };
    await own.load(new Map([[fraud().digest, fraud()]]));
    await own.load(new Map());
    expect(await own.ask(question)).toEqual({ ok: true, value: false });
    await own.load(new Map());
    expect(await own.ask(question)).toMatchObject({ ok: false });
    await own.close();
  });
});

describe("a policy folder", () => {
  const check = (fields: string) => {
    const text = `policy: p\nrules:\n  - id: r\n    match: { tools: "pay:*" }\n    rego: { ${fields} }\n    outcome: allow\n`;
    const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", text }], {
      regoBundles: bundles,
    });
    return { set, said: diagnostics.map(({ line, message }) => `${line}: ${message}`).join("\n") };
  };

  test("a good module becomes part of the set", () => {
    const { set, said } = check("bundle: fraud.tar.gz, entrypoint: fraud/trusted, timeout_ms: 50");
    expect(said).toBe("");
    expect(set?.rules[0]?.when).toEqual({
      ...{ op: "rego", module: fraud().digest, entrypoint: "fraud/trusted" },
      ...{ timeoutMs: 50, memoryMiBMax: 16 },
    });
  });

  test.each([
    ["bundle: frad.tar.gz, entrypoint: fraud/one", "5: the policy folder has no frad.tar.gz"],
    ["bundle: fraud.tar.gz, entrypoint: fraud/on", "5: fraud.tar.gz has no entrypoint fraud/on"],
    ["bundle: fraud.tar.gz", "5: rego needs entrypoint"],
    ["bundle: formats.tar.gz, entrypoint: a/bad", "it needs sprintf, which OPA does not compile"],
    ["bundle: garbage.tar.gz, entrypoint: a/b", "garbage.tar.gz: not a bundle archive"],
    ["bundle: cut.tar.gz, entrypoint: a/b", "cut.tar.gz: not a bundle archive"],
    ["bundle: fraud.tar.gz, entrypoint: fraud/one, timeout_ms: 6000", "5: 6000 is over 5000"],
  ])("%s is refused with its place", (fields, expected) => {
    const { set, said } = check(fields);
    expect(set).toBeUndefined();
    expect(said).toContain(expected);
  });
});

const policies = `
policy: pay
rules:
  - id: usual
    match: { tools: "desk:*" }
    outcome: allow
  - id: fraud
    match: { tools: "desk:POST /items", effect: write }
    rego: { bundle: fraud.tar.gz, entrypoint: fraud/suspicious, timeout_ms: 5000 }
    outcome: deny
    reason: the fraud model says no
  - id: large
    match: { tools: "desk:POST /broken" }
    rego: { bundle: fraud.tar.gz, entrypoint: fraud/slow, timeout_ms: 20, memory_mib_max: 256 }
    outcome: approval_needed
    reason: a person looks at it
`;
const cases = (outcome: string): string => `
cases:
  - name: too much
    request:
      { agent: support-bot, tool: "desk:POST /items", args: { amount: 2000 } }
    expect: { outcome: ${outcome}, rule: pay/fraud }
`;

test("the command line checks it and runs cases with it", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-rego-"));
  writeFileSync(join(folder, "pay.yaml"), policies);
  writeFileSync(join(folder, "fraud.tar.gz"), shared.archive);
  writeFileSync(join(folder, "pay.test.yaml"), cases("deny"));
  const holdfast = (...args: string[]): string => {
    const options = { cwd: root, encoding: "utf8" } as const;
    const run = spawnSync(process.execPath, ["bin/holdfast.mjs", "policy", ...args], options);
    return `${run.status} ${run.stdout}${run.stderr}`;
  };
  expect(holdfast("check", folder)).toMatch(/^0 3 rules/);
  expect(holdfast("test", folder)).toMatch(/^0 1 of 1 cases passed/);
  writeFileSync(join(folder, "pay.test.yaml"), cases("allow"));
  expect(holdfast("test", folder)).toMatch(/outcome is deny, not allow/);
  writeFileSync(join(folder, "fraud.tar.gz"), "garbage");
  expect(holdfast("check", folder)).toMatch(/^1 .*pay\.yaml:9:.*fraud\.tar\.gz: not a bundle/s);
  rmSync(folder, { recursive: true });
});

describe("at the gateway", () => {
  const made: { it?: World } = {};
  const here = (): World => made.it as World;
  beforeAll(async () => {
    made.it = await world();
    rmSync(here().path("policies"), { recursive: true });
    spawnSync("mkdir", [here().path("policies")]);
    here().policy("pay.yaml", policies);
    writeFileSync(here().path("policies/fraud.tar.gz"), shared.archive);
    await here().both();
  });
  afterAll(() => made.it?.close());
  const put = (path: string, body: object): Promise<Answer> =>
    here().http("POST", `/http/desk/${path}`, body);

  test("its answer and the native rules: the strictest wins, and the record names it", async () => {
    // Arguments are below `body` on this wire, so this Rego sees no amount, and finds nothing suspicious.
    expect((await put("items", { weight: 1 })).status).toBe(200);
    const slow = await put("broken", { weight: 1 });
    expect(slow.body).toMatchObject({
      ...{ decision: "deny", determining_rules: ["pay/large"] },
      reason: "the rule pay/large could not be evaluated",
    });
    const recorded = here()
      .entries()
      .find(({ decision }) => decision === "deny");
    expect(recorded).toMatchObject({
      indeterminate: [{ rule: "pay/large", why: "it took more than 20 ms" }],
    });
  });

  test("a slow answer keeps nobody else waiting", async () => {
    const slow = Array.from({ length: 4 }, () => put("broken", {}));
    const quick = await Promise.all(
      Array.from({ length: 4 }, () => here().http("GET", "/http/desk/items")),
    );
    expect(quick.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  });

  test("a stock OPA takes the same bundle, and denies what only the gateway's Rego could tell", async () => {
    const opa = await OpaServer.start(
      here().folder,
      opaConfig(here().controlUrl, bundleKeyOf(here().path("data/keys/bundle.pub.pem"))),
    );
    const request = (name: string) => ({
      subject: { type: "agent", id: "support-bot", delegation: [], properties: {} },
      action: { name, effect: "write", risk: "high", properties: {} },
      resource: { type: "tool", id: name, properties: {} },
      args: { amount: 1 },
      context: {},
    });
    expect(await opa.ask("holdfast/verdict/outcome", request("desk:POST /other"))).toBe("allow");
    expect(await opa.ask("holdfast/verdict", request("desk:POST /items"))).toMatchObject({
      ...{ outcome: "deny", determiningRules: ["pay/fraud"] },
    });
    opa.stop();
  });

  test("new Rego is a new revision", async () => {
    const revision = async (): Promise<unknown> =>
      (await ask(`${here().gatewayUrl}/readyz`)).body["policy_version"];
    const before = await revision();
    const changed = buildWasm(rego.replace("default suspicious := false", "suspicious := true"), [
      ...entrypoints.filter((one) => one !== "fraud/conflict"),
    ]);
    writeFileSync(here().path("policies/fraud.tar.gz"), changed);
    await until("the new revision", async () => ((await revision()) === before ? undefined : true));
    const refused = await put("items", { weight: 1 });
    expect(refused.body).toMatchObject({ decision: "deny", reason: "the fraud model says no" });
  });
});
