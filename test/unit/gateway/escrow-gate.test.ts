/** The gate of escrow: what passes, what is queued, what its agent is told; and that what is sent later is what was judged. */
import { expect, test } from "vitest";
import { queuePrefix, readItem } from "../../../src/escrow/index.ts";
import { answered } from "../../../src/gateway/admit.ts";
import type { Judged, ToolRequest } from "../../../src/gateway/call.ts";
import { Directory } from "../../../src/gateway/directory.ts";
import { heldCall } from "../../../src/gateway/escrow/held-call.ts";
import { httpSender } from "../../../src/gateway/http-tools/held-sender.ts";
import {
  EscrowGate,
  type HttpUpstream,
  httpTools,
  routeTable,
} from "../../../src/gateway/index.ts";
import { type Asked, asking, type Judgement, judge } from "../../../src/gateway/judge.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import type { Switch } from "../../../src/limits/index.ts";
import type { HttpRequest } from "../../../src/ports.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  SimClock,
  SimDatabase,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { engineOf } from "./authzen/real-spine.ts";
import { fakeSpine, fakeTransport, frontRequest, identifier, someone } from "./fake-spine.ts";

const policy = (escrow = ""): string => `
tools:
  pay:create: { effect: write }
  pay:list: { effect: read }
  pay:hide: { effect: write }
${escrow}
policy: pay
rules:
  - { id: all, match: { tools: "pay:*" }, outcome: allow }
  - id: hide
    match: { tools: pay:hide }
    outcome: sanitize
    obligations: [{ redact: args.card, with: digest }]
`;

const thrown: Switch = {
  ...{ id: "escrow-1", mode: "escrow", scope: {}, reason: "drill", by: "ann" },
  since: "2026-01-01T00:00:00Z",
};
const around = { site: "s", kill: { hold: () => undefined }, directory: new Directory() };

function world({ by = thrown as Switch | null, text = policy(), itemsMax = 10 } = {}) {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(1), clock, noStoreFaults);
  const state = new SharedState(database.open());
  let broken: string | undefined;
  const gate = new EscrowGate({
    ...{ state, log: recordingLog(), telemetry: { count: () => undefined } as never },
    origin: { instance: "i", site: "s", epoch: 0 },
    kill: { escrow: () => by ?? undefined },
    breaker: () =>
      broken === undefined
        ? undefined
        : { kind: "breaker_open", of: { upstream: "pay" }, cause: broken, retryAfterMs: undefined },
    bounds: { itemsMax, bytesMax: 1e6, itemsPerAgentMax: 10, bytesPerAgentMax: 1e6 },
    upstreams: new Set(["pay"]),
  });
  const engine = engineOf(text);
  let calls = 0;
  const ask = (tool: ToolRequest["tool"], more: Partial<ToolRequest> = {}): Asked => {
    calls += 1;
    const request: ToolRequest = {
      ...{ face: "mcp", method: "tools/call", identity: someone, tool, args: { n: 1 } },
      later: (id) => ({ carry: { kept: true }, idempotencyKey: id }),
      ...more,
    };
    return asking(request, engine, `c${calls}`, 0);
  };
  const judged = (asked: Asked): Judgement => judge(asked, around, false);
  const enter = async (asked: Asked, decisionOnly = false): Promise<Judgement> => {
    const entered = gate.enter(asked, judged(asked), decisionOnly);
    return (await clock.run(entered)).judgement;
  };
  const items = async () => {
    const listed = await clock.run(state.list(queuePrefix, 100));
    return listed.ok ? listed.value.map(({ value }) => readItem(value)) : [];
  };
  const open = (cause: string): void => {
    broken = cause;
  };
  return { clock, database, gate, ask, judged, enter, items, open };
}

test("a read passes, and so does a write that people let go, or that nothing holds back", async () => {
  const { ask, enter, items } = world();
  const released = { item: "x", callId: "y", idempotencyKey: "x", attempt: 1 } as never;
  expect((await enter(ask("pay:list"))).decision.decision).toBe("allow");
  expect((await enter(ask("pay:create", { released }))).decision.decision).toBe("allow");
  expect(await items()).toEqual([]);
  const free = world({ by: null });
  expect((await free.enter(free.ask("pay:create"))).decision.decision).toBe("allow");
});

test("what policy denies is denied as ever, and nothing is queued", async () => {
  const { ask, enter, items } = world();
  const { decision } = await enter(ask("files:write"));
  expect([decision.decision, decision.refusal]).toEqual(["deny", undefined]);
  expect(await items()).toEqual([]);
});

test("a write is queued as it would have been forwarded, and its agent is told what to do", async () => {
  const { ask, enter, items } = world();
  const { decision, obliged, escrow } = await enter(ask("pay:hide", { args: { card: "4111" } }));
  expect(decision).toMatchObject({ decision: "deny", refusal: "escrowed", escrow_id: "c1" });
  expect(decision.determining_rules).toEqual(["pay/hide"]);
  expect(decision.next).toMatch(/^queued, not executed: do not retry; a person will let c1 go/);
  expect(obliged.verdict).toMatchObject({ outcome: "deny" });
  expect(escrow).toEqual({ step: "held", item: "c1" });
  const [item] = await items();
  expect(item).toMatchObject({
    id: "c1",
    state: "queued",
    upstream: "pay",
    cause: { by: "switch" },
  });
  expect(item?.args?.["card"]).toMatch(/^sha256:/);
  expect(JSON.stringify(item)).not.toContain("4111");
});

test("the obligations that were carried out are not carried out twice; new ones are", async () => {
  const { ask, enter, items } = world();
  await enter(ask("pay:hide", { args: { card: "4111" } }));
  const [item] = await items();
  const claim = { call: "x1", instance: "i", log: "l", run: "r", at_ms: 1 };
  const release = { by: "ann", reason: "go", at_ms: 1 };
  const held = item && heldCall({ ...item, claim, release, attempts: 1 });
  if (!held) throw new Error("not held");
  const judgedAgain = (text: string): Judgement =>
    judge(asking(held.request, engineOf(text), "x1", 0), around, false);
  expect(judgedAgain(policy()).obliged.args).toEqual(item.args);
  const stricter = policy().replace("with: digest", "with: remove");
  expect(judgedAgain(stricter).obliged.args).toEqual({});
  expect(held.carry).toEqual({ kept: true });
});

test("the same write is queued once", async () => {
  const { ask, enter, items } = world();
  await enter(ask("pay:create"));
  const again = await enter(ask("pay:create"));
  expect(again.decision).toMatchObject({ refusal: "escrowed", escrow_id: "c1" });
  expect(again.escrow).toEqual({ step: "held_already", item: "c1" });
  expect(await items()).toHaveLength(1);
});

test.each([
  ["whoever asks for the decision alone", {}, true],
  ["a call that cannot be sent later", { later: undefined }, false],
] as const)("%s is told no, and nothing is queued", async (_, more, decisionOnly) => {
  const { ask, enter, items } = world();
  const { decision } = await enter(ask("pay:create", more as never), decisionOnly);
  expect(decision).toMatchObject({ decision: "deny", refusal: "read_only" });
  expect(await items()).toEqual([]);
});

test("a full queue, and a store that cannot be asked, refuse and say so", async () => {
  const full = world({ itemsMax: 1 });
  await full.enter(full.ask("pay:create"));
  const { decision } = await full.enter(full.ask("pay:create", { args: { n: 2 } }));
  expect(decision.refusal).toBe("escrow_full");
  expect(decision.reason).toContain("limits.escrow_items_max");
  full.database.faults = { ...noStoreFaults, refused: 1 };
  const lost = await full.enter(full.ask("pay:create", { args: { n: 3 } }));
  expect(lost.decision.refusal).toBe("escrow_unknown");
});

test("policy holds back by itself, and so does an open breaker; the breaker not at the last look", async () => {
  const text = policy("escrow: [{ match: { tools: pay:create }, reason: Migration }]");
  const byPolicy = world({ by: null, text });
  const asked = byPolicy.ask("pay:create");
  expect((await byPolicy.enter(asked)).decision.reason).toContain(
    "read-only by policy (test.yaml:",
  );
  expect(byPolicy.gate.recheck(asked)).toMatchObject({ kind: "read_only" });
  expect(byPolicy.gate.recheck(byPolicy.ask("pay:hide"))).toBeUndefined();
  const byBreaker = world({ by: null });
  byBreaker.open("5 failures in a row");
  const { decision } = await byBreaker.enter(byBreaker.ask("pay:create"));
  expect(decision).toMatchObject({ refusal: "escrowed" });
  expect(decision.reason).toContain("5 failures in a row");
  expect(byBreaker.gate.recheck(byBreaker.ask("pay:create"))).toBeUndefined();
});

test("a search is told what an evaluation is told", () => {
  const { gate, ask, judged } = world();
  for (const [tool, refusal] of [
    ["pay:create", "read_only"],
    ["pay:list", undefined],
  ] as const) {
    const asked = ask(tool);
    expect(answered([gate], asked, judged(asked)).decision.refusal).toBe(refusal);
  }
});

const table = routeTable([{ method: "PUT", template: "/notes/{id}" }]);
if (!table.ok) throw new Error("no routes");
const upstream: HttpUpstream = {
  ...{ name: "pay", baseUrl: "http://pay.test/v1", routes: table.value, opaqueBodies: "digest" },
  ...{ headers: { authorization: "secret" }, forwardHeaders: ["x-team"] },
};

test.each([
  ["JSON", { "content-type": "application/json" }, '{"note":"é"}'],
  ["a form", { "content-type": "application/x-www-form-urlencoded" }, "a=1&b=x%20y"],
  ["bytes", { "content-type": "text/plain" }, "plain \u0000 text"],
  ["nothing", {}, ""],
  ["a key of the agent's own", { "idempotency-key": "k-1" }, ""],
])("%s: what is sent later is what would have been sent", async (_, headers, body) => {
  const transport = fakeTransport(() => ({}));
  const spine = fakeSpine();
  const sent: Judged[] = [];
  const face = httpTools({
    ...{ upstreams: new Map([["pay", upstream]]), identifier, transport },
    spine: {
      ...spine,
      govern: (request, forward) =>
        spine.govern(request, (judged) => {
          sent.push(judged);
          return forward(judged);
        }),
    },
  });
  const all = { ...headers, "if-match": '"7"', "x-team": "red", "x-other": "no", cookie: "c=1" };
  await face(frontRequest("PUT", "/http/pay/notes/7?dry=no", body, all));
  const [judged] = sent;
  const [asked] = spine.asked;
  if (judged === undefined || asked?.later === undefined) throw new Error("not asked");
  const later = asked.later(judged.callId);
  // Through the store, as JSON.
  const carry = JSON.parse(JSON.stringify(later.carry)) as JsonObject;
  const forward = httpSender(upstream, transport)(asked, carry);
  if (!forward.ok) throw new Error(forward.error);
  await forward.value({ ...judged, idempotencyKey: later.idempotencyKey });
  const plain = (request: HttpRequest | undefined) => ({
    ...request,
    body: Buffer.from(request?.body ?? []).toString("hex"),
    signal: undefined,
  });
  expect(transport.sent).toHaveLength(2);
  expect(plain(transport.sent[1])).toEqual(plain(transport.sent[0]));
});

test("a tool that is gone is not sent to", () => {
  const transport = fakeTransport(() => ({}));
  const gone = httpSender(upstream, transport)(
    { tool: "pay:POST /gone", method: "POST", identity: someone } as never,
    { headers: {}, body: { kind: "none", mediaType: "", contentType: "" } },
  );
  expect(gone).toEqual({ ok: false, error: "pay:POST /gone is no tool of pay any more" });
});
