/** Conditions that users' own Rego answers: how the answers combine with the rules, and how modules travel. */
import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { ok } from "../../../src/kernel/index.ts";
import {
  type BundleFiles,
  buildBundle,
  bundleKeys,
  bundleSigner,
  compile,
  loadPolicySet,
  type PolicyRequest,
  RegoAnswers,
  type RegoBundles,
  regoDigest,
  revisionOf,
  signBundle,
  verifyBundle,
} from "../../../src/policy/index.ts";

const module = { wasm: Buffer.from("program"), data: Buffer.from("{}") };
const digest = regoDigest(module);
const bundles: RegoBundles = new Map([
  ["own.tar.gz", ok({ ...module, digest, entrypoints: ["own/bad", "own/good"] })],
]);
const policy = `
policy: p
rules:
  - { id: usual, match: { tools: "pay:*" }, outcome: allow }
  - id: bad
    match: { tools: "pay:*" }
    rego: { bundle: own.tar.gz, entrypoint: own/bad }
    outcome: deny
    reason: own Rego says no
  - id: person
    match: { tools: "pay:*" }
    rego: { bundle: own.tar.gz, entrypoint: own/good }
    outcome: approval_needed
    reason: a person looks
  - id: look
    match: { tools: "look:*", effect: read }
    rego: { bundle: own.tar.gz, entrypoint: own/good }
    on_failure: open
    outcome: deny
    reason: not this one
  - { id: looks, match: { tools: "look:*" }, outcome: allow }
`;
const load = (text: string) => loadPolicySet([{ path: "p.yaml", text }], { regoBundles: bundles });
const set = () => {
  const loaded = load(policy).set;
  if (loaded === undefined) throw new Error("the policy loads");
  return loaded;
};

const request = (name: "pay:x" | "look:x", delegation: readonly string[] = []): PolicyRequest => ({
  subject: { type: "agent", id: "desk", delegation, properties: {} },
  action: { name, effect: name === "pay:x" ? "write" : "read", risk: "high", properties: {} },
  resource: { type: "tool", id: name, properties: {} },
  args: { n: 1 },
  context: {},
});

/** Answers by entrypoint, for every agent but those that are left out. */
function decided(
  asked: PolicyRequest,
  said: Readonly<Record<string, boolean | string>>,
  without: readonly string[] = [],
) {
  const engine = compile(set(), "r");
  const answers = new RegoAnswers();
  for (const question of engine.regoQuestions(asked)) {
    const answer = said[question.condition.entrypoint];
    if (answer === undefined || without.includes(question.agent)) continue;
    answers.add(question, typeof answer === "string" ? { why: answer } : answer);
  }
  return engine.decide(asked, answers);
}

test("the strictest of all true rules wins, whoever answered their conditions", () => {
  const outcome = (bad: boolean, good: boolean) =>
    decided(request("pay:x"), { "own/bad": bad, "own/good": good }).outcome;
  expect([outcome(false, false), outcome(false, true), outcome(true, true)]).toEqual([
    ...["allow", "approval_needed", "deny"],
  ]);
  expect(decided(request("pay:x"), { "own/bad": true, "own/good": false })).toMatchObject({
    ...{ reason: "own Rego says no", determiningRules: ["p/bad"] },
  });
});

test("no answer is a condition that could not be evaluated: denied, with the reason", () => {
  expect(decided(request("pay:x"), { "own/bad": "it took too long", "own/good": false })).toEqual({
    ...{ outcome: "deny", reason: "the rule p/bad could not be evaluated" },
    ...{ determiningRules: ["p/bad"], obligations: [], opened: false },
    indeterminate: [{ rule: "p/bad", why: "it took too long" }],
  });
  expect(compile(set(), "r").decide(request("pay:x"))).toMatchObject({ outcome: "deny" });
  const read = decided(request("look:x"), { "own/good": "undefined" });
  expect(read).toMatchObject({ outcome: "allow", opened: true });
});

test("each agent of the chain is asked about, once for each condition, and one is enough to deny", () => {
  const asked = request("pay:x", ["guest", "desk"]);
  const questions = compile(set(), "r").regoQuestions(asked);
  expect(questions.map(({ agent, condition }) => `${agent} ${condition.entrypoint}`)).toEqual([
    ...["desk own/bad", "desk own/good", "guest own/bad", "guest own/good"],
  ]);
  expect(questions[2]?.input["subject"]).toMatchObject({ id: "guest" });
  const said = { "own/bad": false, "own/good": false };
  expect(decided(asked, said).outcome).toBe("allow");
  expect(decided(asked, said, ["guest"]).outcome).toBe("deny");
});

test("a tool that Rego decides about is listed: some answer could allow it", () => {
  const { subject, action } = request("pay:x");
  expect(compile(set(), "r").couldAllow(subject, action)).toBe(true);
  expect(compile(set(), "r").asksRego).toBe(true);
});

test("a rule has one condition, and the revision covers the module", () => {
  const both = policy.replace("    rego:", "    when: args.n > 1\n    rego:");
  expect(load(both).diagnostics[0]?.message).toBe("a rule has when or rego, not both");
  const changed = { ...module, data: Buffer.from('{"a":1}') };
  expect(regoDigest(changed)).not.toBe(digest);
  const other = JSON.parse(JSON.stringify(set()).replaceAll(digest, regoDigest(changed)));
  expect(revisionOf(other)).not.toBe(revisionOf(set()));
});

test("modules travel in the signed bundle; one that is missing or another is refused", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = bundleSigner(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  if (!signer.ok) throw new Error(signer.error);
  const keys = bundleKeys([signer.value.publicKeyPem]);
  const opened = (files: BundleFiles) => {
    const signed = signBundle(files, signer.value);
    return signed.ok && keys.ok ? verifyBundle(signed.value, keys.value) : undefined;
  };
  const files = buildBundle(set(), { serial: 1 }, new Map([[digest, module]]));
  expect(opened(files)).toMatchObject({
    ok: true,
    value: { modules: new Map([[digest, module]]) },
  });
  const path = `rego/${digest}.wasm`;
  const without = new Map(files);
  without.delete(path);
  expect(opened(without)).toMatchObject({ ok: false, error: { detail: `${path} is missing` } });
  const another = new Map(files).set(path, Buffer.from("another program"));
  expect(opened(another)).toMatchObject({
    ok: false,
    error: { detail: `${path} is not the module of its name` },
  });
  expect(() => buildBundle(set(), { serial: 1 })).toThrow("not at hand");
});
