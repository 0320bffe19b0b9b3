/** The spine itself, with parts that break their promises. */

import { expect, test } from "vitest";
import type { Entry } from "../../../../src/audit/index.ts";
import type { Judged, ToolRequest } from "../../../../src/gateway/call.ts";
import type { Hold } from "../../../../src/gateway/hold.ts";
import { ActivePolicy, createSpine, InFlight, type Spine } from "../../../../src/gateway/index.ts";
import { ok } from "../../../../src/kernel/index.ts";
import type { Engine } from "../../../../src/policy/index.ts";
import { unlimited } from "../../../../src/sim/index.ts";
import { realClock, silentLog } from "../../../fixtures/fake-spine.ts";
import { someone } from "../fake-spine.ts";

const request: ToolRequest = {
  face: "mcp",
  method: "tools/call",
  identity: someone,
  tool: "bank:pay",
  args: {},
};

const allowing: Engine = {
  revision: "r1",
  decide: () => ({
    outcome: "allow",
    reason: "test",
    determiningRules: [],
    indeterminate: [],
    obligations: [],
    opened: false,
  }),
  couldAllow: () => true,
  tool: () => undefined,
  redactions: () => [],
} as unknown as Engine;

function spineOf(
  perAgentMax = 1,
  hold: () => Hold | undefined = () => undefined,
): {
  readonly spine: Spine;
  readonly inFlight: InFlight;
  readonly entries: Entry[];
} {
  const entries: Entry[] = [];
  const inFlight = new InFlight({ perAgentMax, totalMax: 100 });
  const policy = new ActivePolicy();
  policy.activate(allowing);
  const spine = createSpine({
    clock: realClock,
    entropy: { bytes: (count) => new Uint8Array(count) },
    ledger: {
      bundleSerial: 0,
      append: async (entry) => {
        entries.push(entry);
        return ok({ index: entries.length - 1, treeSize: entries.length });
      },
      receipt: () => undefined,
      head: () => ({ size: 0, rootHash: new Uint8Array(), checkpoint: "" }),
      healthy: () => true,
      close: async () => undefined,
    },
    policy,
    inFlight,
    ...unlimited,
    kill: { hold, looked: () => undefined },
    telemetry: {
      startCall: () => ({ traceparent: "", end: () => undefined }),
      count: () => undefined,
      gauge: () => undefined,
    },
    log: silentLog,
    origin: { instance: "i", site: "s", epoch: 0 },
  });
  return { spine, inFlight, entries };
}

test("a forward that throws leaves the outcome `unknown` in the record, and its room", async () => {
  const { spine, inFlight, entries } = spineOf();
  const thrown = spine.govern(request, async (_: Judged) => {
    throw new Error("broken promise");
  });
  await expect(thrown).rejects.toThrow("broken promise");
  expect(entries).toMatchObject([{ kind: "decision" }, { kind: "outcome", outcome: "unknown" }]);
  expect(inFlight.total).toBe(0);
});

test("room is per tenant and agent, and an enforcement point uses its own", async () => {
  const { spine, inFlight } = spineOf();
  const leave = inFlight.enter(JSON.stringify(["acme", "pep"]));
  const refused = await spine.evaluate({ ...request, caller: { ...someone, agent: "pep" } });
  expect(refused.decision.refusal).toBe("too_many_calls");
  expect((await spine.evaluate(request)).decision.decision).toBe("allow");
  const elsewhere = { ...someone, tenant: "other", agent: "pep" };
  expect((await spine.evaluate({ ...request, identity: elsewhere })).decision.refusal).toBe(
    undefined,
  );
  leave?.();
});

test("what is carried along is no place for free text", async () => {
  const { spine, entries } = spineOf();
  await spine.evaluate({ ...request, traceparent: "card 4111 1111 1111 1111" });
  const good = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  await spine.evaluate({ ...request, traceparent: good });
  expect(entries).toMatchObject([{ trace: null }, { trace: good }]);
});

const by = {
  id: "k-1",
  scope: {},
  reason: "runaway",
  by: "sre",
  since: "2026-01-01T00:00:00Z",
};

test("a paused call is denied and recorded without policy being asked, and nothing is forwarded", async () => {
  const { spine, entries } = spineOf(1, () => ({ kind: "paused", by: { ...by, mode: "pause" } }));
  const { decision, forwarded } = await spine.govern(request, neverSent);
  expect(decision).toMatchObject({ decision: "deny", refusal: "paused" });
  expect(decision.reason).toContain("runaway");
  expect(forwarded).toBeUndefined();
  expect(entries).toMatchObject([{ kind: "decision", decision: "deny", determining_rules: [] }]);
});

test("whoever is stopped while the decision is being recorded goes no further", async () => {
  let asked = 0;
  const { spine, entries } = spineOf(1, () => {
    asked += 1;
    return asked === 1 ? undefined : { kind: "paused", by: { ...by, mode: "pause" } };
  });
  const { decision, receipt } = await spine.govern(request, neverSent);
  expect(decision).toMatchObject({ decision: "deny", refusal: "paused" });
  expect(receipt).toBeUndefined();
  expect(entries).toMatchObject([
    { kind: "decision", decision: "allow" },
    { kind: "outcome", outcome: "not_sent" },
  ]);
});

test("a dry run decides and records as policy says, and forwards nothing; a bare decision is a deny", async () => {
  const { spine, entries } = spineOf(1, () => ({
    kind: "dry_run",
    by: { ...by, mode: "dry_run" },
  }));
  const governed = await spine.govern(request, neverSent);
  expect(governed.decision).toMatchObject({ decision: "deny", refusal: "dry_run" });
  expect(entries).toMatchObject([
    { kind: "decision", decision: "allow" },
    { kind: "outcome", outcome: "not_sent" },
  ]);
  expect((await spine.evaluate(request)).decision).toMatchObject({ decision: "deny" });
  expect(entries.at(-1)).toMatchObject({ kind: "decision", decision: "deny" });
});

const neverSent = async (_: Judged): Promise<never> => {
  throw new Error("it was forwarded");
};
