/** One run: baseline, innocent deploy, fault, question, prediction, fix, and what the traffic then showed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ChainMatch,
  chainMatch,
  proportion,
  type Share,
  type WhyAnswer,
} from "../../src/model/index.ts";
import { Collector } from "./collector.ts";
import { type Announcement, type Fault, faultOf, innocent } from "./faults.ts";
import { Holdfast } from "./holdfast.ts";
import { feltShare, Load, sumOf } from "./load.ts";
import { Shop } from "./shop.ts";
import { catalogue } from "./topology.ts";

export interface Plan {
  readonly seed: number;
  readonly baselineMs: number;
  readonly faultMs: number;
}

export interface Observed {
  readonly fault: string;
  readonly symptom: string;
  readonly askedAt: number;
  readonly expected: { readonly nodes: readonly string[]; readonly kinds: readonly string[] };
  readonly answer: WhyAnswer;
  /** The first cause is the injected one. */
  readonly isNamed: boolean;
  /** How its path agrees with the way that the injected fault really takes. */
  readonly chain: ChainMatch;
  readonly impact: {
    readonly target: string;
    readonly share: { readonly value: number; readonly low: number; readonly high: number } | null;
  };
  /** What customers saw when it was fixed: the part of the visits that went otherwise. */
  readonly felt: number;
  readonly isPredicted: boolean;
  readonly calibration: unknown;
}

/** The symptom is there when so many of the visits go wrong, or take so many times as long. */
const failedMin = 0.08;
const slowerMin = 3;
const symptomWaitMs = 30_000;
/** Telemetry is sent every half second; what was seen last arrives a little later. */
const settleMs = 1_500;
const betweenMs = 1_000;

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

export async function observe(plan: Plan, say: (line: string) => void): Promise<Observed> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-shop-"));
  const collector = await Collector.start();
  const shop = new Shop(folder, collector.url);
  const load = new Load(() => shop.frontend, plan.seed);
  try {
    await shop.start();
    load.start();
    return await run({ plan, say, shop, load, folder, collector, holdfast: new Holdfast(folder) });
  } finally {
    await load.stop();
    await shop.stop();
    collector.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Stage {
  readonly plan: Plan;
  readonly say: (line: string) => void;
  readonly shop: Shop;
  readonly load: Load;
  readonly folder: string;
  readonly collector: Collector;
  readonly holdfast: Holdfast;
}

async function run(stage: Stage): Promise<Observed> {
  const { plan, say, shop, load, holdfast, collector } = stage;
  const fault = faultOf(plan.seed);
  say(`the shop runs (seed ${plan.seed}); ${plan.baselineMs / 1_000} s of its usual day`);
  const beganAt = Date.now();
  await sleep(plan.baselineMs);
  await announce(collector, innocent);
  await shop.deploy("worker", innocent.after);
  await sleep(betweenMs);
  const injectedAt = Date.now();
  if (fault.announced !== undefined) await announce(collector, fault.announced);
  await fault.inject(shop);
  say(`something goes wrong, beside an innocent deploy ("${innocent.title}")`);
  await symptom(load, { from: beganAt, to: injectedAt });
  await sleep(plan.faultMs);
  const askedAt = Date.now();
  await sleep(settleMs);
  await ingest(stage, "before");
  const lookback = Math.ceil((askedAt - injectedAt) / 1_000);
  const answer = await holdfast.why(fault.symptom, askedAt, lookback);
  const predicted = await holdfast.impact(fault.fix.targets[0] ?? "", fault.fix.kind);
  const fixedAt = Date.now();
  await announce(collector, fault.fix);
  await fault.repair(shop);
  say(`"${fault.fix.title}"; ${plan.faultMs / 1_000} s to see what that does`);
  await sleep(plan.faultMs + settleMs);
  await ingest(stage, "after");
  const before = load.within(injectedAt + betweenMs, askedAt);
  const after = load.within(fixedAt + betweenMs, fixedAt + plan.faultMs);
  const felt = feltShare(before, after);
  const calibration = await holdfast.calibration(Math.floor(plan.faultMs / 1_000));
  return {
    ...{ fault: fault.name, symptom: fault.symptom, askedAt, answer, felt, calibration },
    expected: { nodes: fault.nodes, kinds: fault.kinds },
    isNamed: isNamed(answer, fault),
    chain: chainOf(answer, fault),
    impact: { target: fault.fix.targets[0] ?? "", share: predicted },
    isPredicted:
      predicted !== null && overlap(predicted, proportion(felt * after.length, after.length)),
  };
}

/** What came since the last time, into the model. */
async function ingest({ folder, collector, holdfast }: Stage, name: string): Promise<void> {
  const told = join(folder, name);
  mkdirSync(told);
  writeFileSync(join(told, "catalog-info.yaml"), catalogue);
  collector.flush(told);
  await holdfast.ingest(told);
}

/** The pipeline says what it did: a CloudEvent to whoever wants to know. */
async function announce(collector: Collector, { id, ...data }: Announcement): Promise<void> {
  const event = {
    ...{ specversion: "1.0", id: `${id}-${Date.now()}`, source: "pipeline" },
    ...{ type: `shop.${data.kind}.changed`, time: new Date().toISOString() },
    ...{ datacontenttype: "application/json", data },
  };
  const headers = { "content-type": "application/cloudevents+json" };
  await fetch(`${collector.url}/webhooks`, {
    method: "POST",
    headers,
    body: JSON.stringify(event),
  });
}

/** Waits until customers see it. */
async function symptom(load: Load, usual: { from: number; to: number }): Promise<void> {
  const past = sumOf(load.within(usual.from, usual.to));
  for (const end = Date.now() + symptomWaitMs; Date.now() < end; ) {
    await sleep(500);
    const now = sumOf(load.within(Date.now() - 2_000, Date.now()));
    const isFailing = now.count >= 10 && now.failed / now.count >= failedMin;
    const slowest = load.within(Date.now() - 2_000, Date.now()).map(({ ms }) => ms);
    const isSlow = Math.max(0, ...slowest) > past.medianMs * slowerMin + 150;
    if (isFailing || isSlow) return;
  }
  throw new Error("no symptom was seen");
}

/** What was felt was counted, and has an interval of its own. */
function overlap(a: Share, b: Share): boolean {
  return a.low <= b.high && b.low <= a.high;
}

function isNamed({ verdict, causes }: WhyAnswer, { nodes, kinds, announced }: Fault): boolean {
  const [first] = causes;
  if (verdict !== "cause" || first === undefined) return false;
  const isRightChange = announced === undefined || (first.change ?? "").includes(announced.id);
  return nodes.includes(first.node) && kinds.includes(first.kind) && isRightChange;
}

/** The change came to what it broke, and from there it went its way. */
function chainOf({ causes }: WhyAnswer, { name, nodes, way, announced }: Fault): ChainMatch {
  const [first] = causes;
  if (first === undefined) return { isRoot: false, precision: 0, recall: 0 };
  const isRightChange = announced !== undefined && (first.change ?? "").includes(announced.id);
  const change =
    announced === undefined ? [] : [isRightChange ? (first.change ?? "") : announced.id];
  const whole = [...change, ...way];
  const chain = whole.slice(1).map((to, at) => ({ from: whole[at] ?? to, to, because: name }));
  return chainMatch(first, { id: name, title: name, roots: nodes, chain, same: [] });
}
