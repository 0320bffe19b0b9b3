/** The spine on a real disk, nothing in front and nothing behind: a call is two durable entries. */
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock, systemEntropy } from "../src/adapters/clock/index.ts";
import { openDisk } from "../src/adapters/disk/index.ts";
import {
  ActivePolicy,
  createSpine,
  type Forwarded,
  InFlight,
  type Spine,
  type ToolRequest,
} from "../src/gateway/index.ts";
import { type Ledger, openLedger } from "../src/ledger/index.ts";
import { compile, type Rule } from "../src/policy/index.ts";
import type { Telemetry } from "../src/ports.ts";
import { Random, simSigner, unlimited } from "../src/sim/index.ts";
import { load, type Measured, measured, openLoop, quantile } from "./measure.ts";

const lanes = [1, 16, 64] as const;
const durationMs = 900;
const openPerSecond = 1_000;
const openSeconds = 4;

export async function benchDurable(folder: string, trials: number): Promise<readonly Measured[]> {
  const ledger = await openLog(join(folder, "log"));
  const spine = spineOf(ledger);
  const call = async (): Promise<void> => {
    const { decision, forwarded } = await spine.govern(request, async () => arrived);
    if (forwarded === undefined) throw new Error(decision.reason);
  };
  const decide = async (): Promise<void> => {
    const { receipt, decision } = await spine.evaluate(request);
    if (receipt === undefined) throw new Error(decision.reason);
  };
  const syncs: number[] = [];
  const perSecond = new Map<number, number[]>(lanes.map((count) => [count, []]));
  const p99 = new Map<number, number[]>(lanes.map((count) => [count, []]));
  await load(16, 300, call);
  for (let trial = 0; trial < trials; trial++) {
    syncs.push(await bareSyncs(join(folder, "bare")));
    for (const count of lanes) {
      const done = await load(count, durationMs, call);
      perSecond.get(count)?.push(done.perSecond);
      p99.get(count)?.push(quantile(done.latenciesMs, 0.99));
    }
  }
  const [openP50, openP99]: [number[], number[]] = [[], []];
  for (let trial = 0; trial < trials; trial++) {
    const latencies = await openLoop(openPerSecond, openSeconds, trial, decide);
    openP50.push(quantile(latencies, 0.5));
    openP99.push(quantile(latencies, 0.99));
  }
  await ledger.close();
  const opened = `decision and durable record at ${openPerSecond}/s, open loop`;
  const baseline = measured("600 bytes appended and fdatasynced, one by one", "/s", syncs);
  return [
    baseline,
    ...lanes.flatMap((count) => [
      measured(`durable calls, ${count} at once`, "/s", perSecond.get(count) ?? [], baseline),
      measured(`durable call p99, ${count} at once`, "ms", p99.get(count) ?? []),
    ]),
    measured(`${opened}, p50`, "ms", openP50),
    measured(`${opened}, p99`, "ms", openP99),
  ];
}

async function bareSyncs(path: string): Promise<number> {
  const file = await open(path, "a");
  const record = Buffer.alloc(600, 1);
  const done = await load(1, durationMs / 2, async () => {
    await file.write(record);
    await file.datasync();
  });
  await file.close();
  await rm(path);
  return done.perSecond;
}

const origin = { instance: "bench", site: "standalone", epoch: 0 };

async function openLog(folder: string): Promise<Ledger> {
  const opened = await openLedger({
    disk: openDisk(folder),
    signer: simSigner("bench.holdfast", new Random(1)),
    clock: systemClock,
    tenant: "bench",
    origin,
    holdfastVersion: "bench",
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

export function spineOf(ledger: Ledger, telemetry: Telemetry = noTelemetry): Spine {
  const policy = new ActivePolicy();
  const rule: Rule = {
    id: "bench/charge",
    match: { tools: [request.tool] },
    outcome: "allow",
    obligations: [],
    onFailure: "deny",
    reason: "for measuring",
    source: "bench:1",
  };
  policy.activate(compile({ formatVersion: 3, rules: [rule], tools: [], limits: [] }, "bench"));
  return createSpine({
    clock: systemClock,
    entropy: systemEntropy,
    ledger,
    policy,
    inFlight: new InFlight({ perAgentMax: 1_000, totalMax: 1_000 }),
    ...unlimited,
    telemetry,
    log: { write: () => {} },
    origin,
  });
}

export const arrived: Forwarded<undefined> = { outcome: "ok", resultBytes: 0, answer: undefined };

export const request: ToolRequest = {
  face: "http",
  method: "POST",
  tool: "pay:charge",
  args: { amount: 12, currency: "EUR" },
  identity: {
    agent: "bench",
    tenant: "bench",
    delegation: [],
    properties: {},
    how: "development_token",
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  },
};

export const noTelemetry: Telemetry = {
  startCall: () => ({ traceparent: "", end: () => {} }),
  count: () => {},
  gauge: () => {},
};
