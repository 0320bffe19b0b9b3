/** The gateway answers OPA's data API like a stock OPA on the same bundle; it identifies who asks, and records. */
import { readdirSync, rmSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PolicyRequest, Verdict } from "../../src/policy/index.ts";
import { comparable } from "../unit/policy/comparable.ts";
import { request } from "../unit/policy/generate.ts";
import { bundleKeyOf, OpaServer, opaConfig } from "./opa/opa-server.ts";
import {
  type Answer,
  ask,
  reportBot,
  supportBot,
  until,
  type World,
  world,
} from "./product/harness.ts";

/** For the requests of the generator: every outcome, conditions that cannot be evaluated, chains, redactions. */
const policy = `
policy: pay
rules:
  - id: large
    match: { tools: "pay:*", effect: write }
    when: args.n > 50000
    outcome: approval_needed
    reason: a person looks at large payments
  - id: guests
    match: { agents: guest, effect: write }
    outcome: deny
    reason: guests only look
  - id: lists
    match: { tools: "files:*", agents: ["desk*", a*b, batch.*] }
    when: has(args.s) || size(args.list) < 2
    outcome: sanitize
    reason: files go through without their secret
    obligations:
      - { redact: args.map.a, with: mask, keep: 2 }
      - { require: args.s, matches: "^[a-z ]*$", optional: true }
  - id: reads
    match: { effect: read }
    when: context.level == resource.properties.level
    on_failure: open
    outcome: allow
    reason: same level
  - id: usual
    match: { agents: ["desk*", guest] }
    outcome: allow
    reason: desks may work
`;

const made: { world?: World; opa?: OpaServer } = {};
const here = (): World => made.world as World;
const opa = (): OpaServer => made.opa as OpaServer;

beforeAll(async () => {
  made.world = await world({
    config: "authzen: { enforcement_points: [{ agent: report-bot }] }",
  });
  for (const name of readdirSync(here().path("policies")))
    rmSync(here().path("policies", name), { recursive: true });
  here().policy("pay.yaml", policy);
  await here().both();
  made.opa = await OpaServer.start(
    here().folder,
    opaConfig(here().controlUrl, bundleKeyOf(here().path("data/keys/bundle.pub.pem"))),
  );
});

afterAll(async () => {
  made.opa?.stop();
  await made.world?.close();
});

const post = (path: string, input: unknown, token: string = reportBot): Promise<Answer> =>
  here().http("POST", `/v1/data/${path}`, { input }, token);

/** What the gateway makes of an obligation that cannot be carried out, as everywhere: a deny. */
const cannotBeMet = (verdict: Verdict): boolean =>
  verdict.reason.startsWith("an obligation could not be carried out");

test("400 generated requests: both give the same result, and each is in the record", async () => {
  const seen = new Map<string, number>();
  const requests = fc.sample(request, { seed: 11, numRuns: 400 });
  const ids: string[] = [];
  for (const [at, asked] of requests.entries()) {
    const ours = await post("holdfast/verdict", asked);
    expect([ours.status, ours.body]).toEqual([200, expect.anything()]);
    ids.push(String(ours.body["decision_id"]));
    const verdict = ours.body["result"] as Verdict;
    const theirs = (await opa().ask("holdfast/verdict", asked)) as Verdict;
    const outcome = cannotBeMet(verdict) ? "cannot be met" : verdict.outcome;
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    if (outcome === "cannot be met") expect(theirs.outcome).toBe("sanitize");
    else expect(comparable(verdict)).toEqual(comparable(theirs));
    if (at % 10 === 0)
      expect((await post("holdfast/allow", asked)).body["result"]).toBe(
        await opa().ask("holdfast/allow", asked),
      );
  }
  for (const outcome of ["allow", "deny", "sanitize", "approval_needed"])
    expect(seen.get(outcome) ?? 0, outcome).toBeGreaterThan(10);
  const recorded = new Map(
    here()
      .entries()
      .map((entry) => [entry["call"], entry]),
  );
  for (const id of ids)
    expect(recorded.get(id)).toMatchObject({
      ...{ kind: "decision", face: "opa", caller: "report-bot", identity: "asserted" },
    });
});

const asked: PolicyRequest = {
  subject: { type: "agent", id: "desk", delegation: [], properties: {} },
  action: { name: "files:read", effect: "read", risk: "low", properties: {} },
  resource: { type: "tool", id: "files:read", properties: { level: 1 } },
  args: { s: "plain" },
  context: { level: 1 },
};

test("GET with the parameter input, paths below, provenance, and what is undefined, as OPA answers", async () => {
  const input = encodeURIComponent(JSON.stringify(asked));
  for (const path of [
    ...["verdict", "allow", "verdict/outcome", "verdict/determiningRules/0", "verdict/nothing"],
    ...["verdict/obligations/0/path/1", "verdict/outcome/x", "allow/x", "verdict/%6futcome"],
  ]) {
    const query = `/v1/data/holdfast/${path}?input=${input}`;
    const ours = await here().http("GET", query, undefined, reportBot);
    const theirs = await ask(opa().url + query);
    // Below what its types know, OPA answers 500, and the gateway that nothing is there: neither is a result.
    expect(ours.status, path).toBe(200);
    expect(ours.body["result"], path).toEqual(theirs.body["result"]);
    expect(Object.hasOwn(ours.body, "result"), path).toBe(Object.hasOwn(theirs.body, "result"));
  }
  const told = await post("holdfast/allow?provenance=true", asked);
  expect(told.body["provenance"]).toEqual({
    bundles: { holdfast: { revision: await opa().revision() } },
  });
  expect(told.headers.get("holdfast-receipt")).toMatch(/^[\w-]+$/);
});

test("who asks is identified, and is an enforcement point of the configuration", async () => {
  const nobody = await ask(`${here().gatewayUrl}/v1/data/holdfast/allow`, { method: "POST" });
  expect([nobody.status, nobody.body["code"]]).toEqual([401, "unauthorized"]);
  expect(nobody.headers.get("www-authenticate")).toMatch(/^Bearer/);
  const other = await post("holdfast/allow", asked, supportBot);
  expect([other.status, other.body["code"]]).toEqual([403, "unauthorized"]);
});

test("health is that of OPA: 200 and {}, also asked for bundles", async () => {
  for (const path of ["/health", "/health?bundles", "/health?bundles=true"]) {
    const ours = await ask(here().gatewayUrl + path);
    expect([ours.status, ours.body]).toEqual([200, {}]);
  }
});

test("a person sees each OPA at the control plane, and long polling brings news at once", async () => {
  const key = bundleKeyOf(here().path("data/keys/bundle.pub.pem"));
  // So seldom that nothing arrives in time but by a request that the control plane holds.
  const seldom = { min_delay_seconds: 300, max_delay_seconds: 600 };
  const config = opaConfig(here().controlUrl, key, { ...seldom, long_polling_timeout_seconds: 30 });
  const patient = await OpaServer.start(here().folder, config);
  const before = await patient.revision();
  const rule = "{ id: more, match: { agents: nobody }, outcome: allow }";
  here().policy("more.yaml", `policy: more\nrules: [${rule}]\n`);
  await patient.eventually("the new revision", async () => (await patient.revision()) !== before);
  patient.stop();
  const revision = await until("the report", async () => {
    const { body } = await ask(`${here().controlUrl}/statusz`);
    const opas = body["opas"] as { current: boolean; error: unknown; labels: object }[];
    return opas.some(({ current, error }) => current && error === null)
      ? body["revision"]
      : undefined;
  });
  expect(revision).not.toBe(before);
});
