/** People's consent as a gate: asked once, granted once, used once; by several gateways, with faults of the store. */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type Approval,
  type Approver,
  approvalIn,
  approvalKeys,
  approvalWrites,
  vote,
} from "../../../src/approvals/index.ts";
import type { Entered } from "../../../src/gateway/admit.ts";
import { Approvals, OverrideKeys, recoverClaims } from "../../../src/gateway/approvals/index.ts";
import type { ToolRequest } from "../../../src/gateway/call.ts";
import { Directory } from "../../../src/gateway/directory.ts";
import { asking, judge } from "../../../src/gateway/judge.ts";
import { type JsonObject, ok } from "../../../src/kernel/index.ts";
import { compile, loadPolicySet } from "../../../src/policy/index.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDatabase,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { someone } from "./fake-spine.ts";

function engineOf(rules: string, revision: string) {
  const text = `
policy: pay
tools:
  pay:create: { effect: write, risk: high }
rules:
${rules}
`;
  const { set, diagnostics } = loadPolicySet([{ path: "pay.yaml", text }]);
  if (set === undefined) throw new Error(JSON.stringify(diagnostics));
  return compile(set, revision);
}

const large =
  "  - { id: large, match: { tools: pay:create }, outcome: approval_needed, reason: large payments need a person }";
const masking =
  "  - { id: mask, match: { tools: pay:create }, outcome: sanitize, obligations: [{ redact: args.card, with: remove }] }";
const policy = engineOf(large, "r1");

const alice: Approver = { id: "alice", groups: ["leads"], alsoKnownAs: [] };
const minute = 60_000;

let made = 0;
function jwk(): JsonObject {
  return generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }) as JsonObject;
}

function world(seed = 1, faults = noStoreFaults) {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(seed), clock, faults);
  const open = () => new SharedState(database.open());
  const gateway = (instance: string, run = "1") => {
    const state = open();
    const keys = new OverrideKeys(state, jwk());
    const gate = new Approvals({
      ...{ state, clock, keys, run, log: recordingLog(), telemetry: recordingTelemetry() },
      origin: { instance, site: "s", epoch: 0 },
      questionsPerMinuteMax: 3,
    });
    const enter = (request: Partial<ToolRequest> = {}, engine = policy): Promise<Entered> => {
      const whole: ToolRequest = {
        ...{ face: "http", method: "POST", identity: someone, tool: "pay:create" },
        args: { amount: 75_000 },
        ...request,
      };
      made += 1;
      const asked = asking(whole, engine, `call${made}`, clock.wallMs());
      const around = { site: "s", kill: { hold: () => undefined }, directory: new Directory() };
      return gate.enter(asked, judge(asked, around, false));
    };
    return { state, keys, enter };
  };
  const people = open();
  const say = (id: string, verdict: "approve" | "decline", who = alice) => {
    const keys = approvalKeys(id);
    return people.transact([keys.open, keys.closed], (values, nowMs) => {
      const before = approvalIn(values, keys);
      if (before === undefined) throw new Error(`no ${id}`);
      const ballot = { verdict, reason: "looked at it", channel: "cli", jti: `jti-${id}` };
      const cast = vote(before, who, ballot, nowMs);
      return { writes: cast.ok ? approvalWrites(cast.value) : new Map(), result: cast };
    });
  };
  const stored = (id: string): Approval | undefined => {
    const { open: o, closed } = approvalKeys(id);
    return JSON.parse(database.present.get(o) ?? database.present.get(closed) ?? "null");
  };
  return { clock, database, gateway, say, stored, run: <T>(work: Promise<T>) => clock.run(work) };
}

const word = ({ judgement: { decision } }: Entered): string =>
  decision.refusal ?? decision.decision;
const idOf = ({ judgement }: Entered): string => judgement.approvalId ?? "";

describe("a yes", () => {
  test("asked, granted, used by the same call once; the next one asks anew", async () => {
    const { gateway, say, stored, run } = world();
    const { enter } = gateway("a");
    const first = await run(enter());
    const again = await run(enter());
    expect([word(first), idOf(again), stored(idOf(first))?.asks]).toEqual([
      "approval_needed",
      idOf(first),
      2,
    ]);
    await run(say(idOf(first), "approve"));
    const through = await run(enter());
    expect(through.judgement.decision).toMatchObject({
      decision: "allow",
      approval_id: idOf(first),
      approved_by: ["alice"],
    });
    expect(word(await run(enter()))).toBe("approval_in_use");
    await run(through.settle?.("ok") ?? Promise.resolve());
    expect(stored(idOf(first))?.state).toBe("used");
    const next = await run(enter());
    expect([word(next), idOf(next) === idOf(first)]).toEqual(["approval_needed", false]);
  });

  test("what was not sent leaves the grant; what may have happened does not, and is told to whoever is asked next", async () => {
    const { gateway, say, stored, run } = world();
    const { enter } = gateway("a");
    const id = idOf(await run(enter()));
    await run(say(id, "approve"));
    await run((await run(enter())).settle?.("not_sent") ?? Promise.resolve());
    expect(stored(id)?.state).toBe("granted");
    await run((await run(enter())).settle?.("unknown") ?? Promise.resolve());
    expect(stored(id)?.state).toBe("unknown");
    const next = await run(enter());
    expect([word(next), stored(idOf(next))?.after_unknown]).toEqual(["approval_needed", id]);
  });
});

describe("no yes", () => {
  test("a no is told once, with its reason; who calls again asks again", async () => {
    const { gateway, say, run } = world();
    const { enter } = gateway("a");
    const id = idOf(await run(enter()));
    await run(say(id, "decline"));
    const told = await run(enter());
    expect([word(told), told.judgement.decision.reason]).toEqual([
      "declined",
      `${id} was declined by alice: looked at it`,
    ]);
    expect(word(await run(enter()))).toBe("approval_needed");
  });

  test("a question nobody answers expires; so does a grant nobody uses", async () => {
    const { clock, gateway, say, run } = world();
    const { enter } = gateway("a");
    const id = idOf(await run(enter()));
    await run(clock.sleep(15 * minute));
    expect(word(await run(enter()))).toBe("approval_expired");
    const late = await run(say(id, "approve"));
    expect(late).toMatchObject({ ok: true, value: { ok: false, error: { kind: "closed" } } });
    const second = idOf(await run(enter()));
    await run(say(second, "approve"));
    await run(clock.sleep(5 * minute));
    expect(word(await run(enter()))).toBe("approval_expired");
    expect(word(await run(enter()))).toBe("approval_needed");
  });

  test("an agent that asks too often is denied, and nobody is asked", async () => {
    const { gateway, run, database } = world();
    const { enter } = gateway("a");
    for (let amount = 0; amount < 3; amount++) await run(enter({ args: { amount } }));
    const before = database.commits;
    expect(word(await run(enter({ args: { amount: 4 } })))).toBe("too_many_approvals");
    expect(database.commits).toBe(before);
    const other = { ...someone, agent: "other" };
    expect(word(await run(enter({ identity: other })))).toBe("approval_needed");
  });

  test("more than people can be shown: nobody is asked", async () => {
    const { gateway, run, database } = world();
    const request = { args: { memo: "x".repeat(40_000) } };
    expect(word(await run(gateway("a").enter(request)))).toBe("approval_too_large");
    expect(database.commits).toBe(0);
  });

  test("other arguments, another agent, another chain: nobody's grant but the one it was given for", async () => {
    const { gateway, say, run } = world();
    const { enter } = gateway("a");
    await run(say(idOf(await run(enter())), "approve"));
    expect(word(await run(enter({ args: { amount: 75_001 } })))).toBe("approval_needed");
    const chained = { ...someone, delegation: ["boss"] };
    expect(word(await run(enter({ identity: chained })))).toBe("approval_needed");
    expect(word(await run(enter()))).toBe("allow");
  });
});

describe("policy that changed meanwhile decides anew", () => {
  async function granted() {
    const here = world();
    const { enter } = here.gateway("a");
    const id = idOf(await here.run(enter()));
    await here.run(here.say(id, "approve"));
    return { ...here, enter, id };
  }

  test("asks by the same rule: the grant stands, and obligations of the new revision are met", async () => {
    const { enter, run } = await granted();
    const request = { args: { amount: 75_000 } };
    const newer = engineOf(`${large}\n${masking}`, "r2");
    expect(word(await run(enter(request, newer)))).toBe("allow");
  });

  test("asks by another rule: people are asked again", async () => {
    const { enter, run, id, stored } = await granted();
    const newer = engineOf(large.replace("large,", "huge,"), "r2");
    const next = await run(enter({}, newer));
    expect([word(next), idOf(next) === id, stored(id)?.state]).toEqual([
      "approval_needed",
      false,
      "revoked",
    ]);
  });

  test("denies: refused, whatever people said", async () => {
    const { enter, run, id, stored } = await granted();
    const newer = engineOf(
      `${large}\n  - { id: never, match: { tools: pay:create }, outcome: deny, reason: never }`,
      "r2",
    );
    expect(word(await run(enter({}, newer)))).toBe("deny");
    expect(stored(id)?.state).toBe("granted");
  });
});

test("redactions of the rules are applied to the approved call again", async () => {
  const { gateway, say, run, stored } = world();
  const { enter } = gateway("a");
  const engine = engineOf(`${large}\n${masking}`, "r1");
  const request = { args: { amount: 1, card: "4111" } };
  const id = idOf(await run(enter(request, engine)));
  expect(stored(id)?.args_redacted).toEqual({ amount: 1 });
  await run(say(id, "approve"));
  const through = await run(enter(request, engine));
  expect([word(through), through.judgement.obliged.args]).toEqual(["sanitize", { amount: 1 }]);
});

describe("override tokens", () => {
  async function withToken() {
    // Signatures are made outside the simulated time; without delays of the store nothing else sleeps.
    const here = { ...world(), run: <T>(work: Promise<T>) => work };
    const gate = here.gateway("a");
    const id = idOf(await here.run(gate.enter()));
    await here.run(here.say(id, "approve"));
    const approval = here.stored(id);
    const token = approval && (await here.run(gate.keys.tokenOf(approval)));
    return { ...here, ...gate, id, token: token ?? "" };
  }

  test("good at every gateway, once", async () => {
    const { gateway, token, run } = await withToken();
    const other = gateway("b");
    const through = await run(other.enter({ override: token }));
    expect(word(through)).toBe("allow");
    await run(through.settle?.("ok") ?? Promise.resolve());
    expect(word(await run(other.enter({ override: token })))).toBe("override_replayed");
  });

  test.each([
    ["other arguments", { args: { amount: 2 } }, "override_other_arguments"],
    ["another agent", { identity: { ...someone, agent: "mallory" } }, "override_other_agent"],
    ["another chain", { identity: { ...someone, delegation: ["x"] } }, "override_unknown"],
  ])("%s: refused, each with its own reason", async (_, request, code) => {
    const { enter, token, run } = await withToken();
    expect(word(await run(enter({ ...request, override: token })))).toBe(code);
    expect(word(await run(enter({ override: token })))).toBe("allow");
  });

  test("forged, in any byte: refused", async () => {
    const { enter, token, run } = await withToken();
    const [head = "", body = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString());
    const changed = Buffer.from(JSON.stringify({ ...claims, jti: "x" })).toString("base64url");
    for (const forged of [`${head}.${changed}.${signature}`, `${head}.${body}.`, "a.b.c", ""])
      expect(word(await run(enter({ override: forged })))).toBe("override_forged");
    const stranger = new OverrideKeys(new SharedState(world().database.open()), jwk());
    const foreign = await stranger.verify(token);
    expect(foreign.ok).toBe(false);
  });

  test("too late", async () => {
    const { enter, token, run, clock } = await withToken();
    await clock.run(clock.sleep(5 * minute));
    expect(word(await run(enter({ override: token })))).toBe("override_expired");
  });
});

test("three gateways, eight calls at once, faults of the store: one goes through, and none is lost", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const faults = { ...noStoreFaults, delayMsMax: 5 };
    const { gateway, say, run } = world(seed, faults);
    const gateways = ["a", "b", "c"].map((name) => gateway(name));
    const [first = gateway("d")] = gateways;
    await run(say(idOf(await run(first.enter())), "approve"));
    const all = await run(
      Promise.all(Array.from({ length: 8 }, (_, i) => (gateways[i % 3] ?? first).enter())),
    );
    expect(all.filter((each) => word(each) === "allow").length, `seed ${seed}`).toBe(1);
    expect(new Set(all.map(word))).toEqual(new Set(["allow", "approval_in_use"]));
  }
});

describe("a gateway that died while it held a grant", () => {
  test.each([
    ["no decision in its log: nothing was sent, the grant is good", undefined, "granted"],
    ["a decision, no outcome: nobody knows", "unknown", "unknown"],
    ["an outcome: it was used", "ok", "used"],
    ["an outcome that nothing was sent", "not_sent", "granted"],
  ] as const)("%s", async (_, fate, state) => {
    const { gateway, say, run, stored } = world();
    const dead = gateway("a", "1");
    const id = idOf(await run(dead.enter()));
    await run(say(id, "approve"));
    const call = (await run(dead.enter())).judgement.decision.call_id;
    const fates = new Map(fate === undefined ? [] : ([[call, fate]] as const));
    const recovering = { log: recordingLog(), instance: "a", run: "2" };
    const parts = { ...recovering, fateOf: async () => ok(fates) };
    await run(recoverClaims({ ...parts, state: gateway("a", "2").state }));
    expect(stored(id)?.state).toBe(state);
    // Its own calls are not those of a dead run.
    await run(recoverClaims({ ...parts, run: "1", state: gateway("a", "1").state }));
    expect(stored(id)?.state).toBe(state);
  });
});
