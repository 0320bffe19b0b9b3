/**
 * Grants under faults, replayable by seed: several gateways on one store that refuses, loses commits and answers; gateways
 * that die anywhere between claiming and settling, and start again. No grant executes twice; none is lost.
 */
import { generateKeyPairSync } from "node:crypto";
import { expect, inject, test } from "vitest";
import { approvalIn, approvalKeys, approvalWrites, vote } from "../../../src/approvals/index.ts";
import type { CallOutcome } from "../../../src/audit/index.ts";
import { lets } from "../../../src/gateway/admit.ts";
import { Approvals, OverrideKeys, recoverClaims } from "../../../src/gateway/approvals/index.ts";
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
  type StoreFaults,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { someone } from "./fake-spine.ts";

const { set } = loadPolicySet([
  {
    path: "pay.yaml",
    text: `
policy: pay
tools: { "pay:create": { effect: write, risk: high } }
rules:
  - id: large
    match: { tools: pay:create }
    outcome: approval_needed
    reason: ask
    approval: { use_within_seconds: 86400 }
`,
  },
]);
if (set === undefined) throw new Error("the policy does not load");
const engine = compile(set, "r1");
const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }) as JsonObject;

type Word = "executed" | "died" | "refused";

/** One instance over all its lives, with the log that outlives them. */
class Gateway {
  readonly log = new Map<string, CallOutcome>();
  #gate!: Approvals;
  #life = 0;
  readonly #name: string;
  readonly #world: World;

  constructor(name: string, world: World) {
    this.#name = name;
    this.#world = world;
    this.#begin();
  }

  #begin(): void {
    const { database, clock } = this.#world;
    const state = new SharedState(database.open());
    this.#life += 1;
    this.#gate = new Approvals({
      ...{ state, clock, log: recordingLog(), telemetry: recordingTelemetry() },
      keys: new OverrideKeys(state, jwk),
      run: String(this.#life),
      origin: { instance: this.#name, site: "s", epoch: 0 },
      questionsPerMinuteMax: 1_000,
    });
  }

  /** Whatever was under way in the life before never goes on. */
  async restart(): Promise<void> {
    this.#begin();
    await recoverClaims({
      state: new SharedState(this.#world.database.open()),
      log: recordingLog(),
      ...{ instance: this.#name, run: String(this.#life) },
      fateOf: async () => ok(this.log),
    });
  }

  /** One call in the order of the spine. `dies` is asked at each place where a process can die. */
  async call(n: number, dies: () => boolean): Promise<{ word: Word; id: string | null }> {
    const { clock, executed } = this.#world;
    const life = this.#life;
    const over = (): boolean => life !== this.#life || dies();
    const id = this.#world.nextCall();
    const common = { face: "http", method: "POST", tool: "pay:create" } as const;
    const request = { ...common, identity: someone, args: { n } };
    const asked = asking(request, engine, id, clock.wallMs());
    const around = { site: "s", kill: { hold: () => undefined }, directory: new Directory() };
    const { judgement, settle } = await this.#gate.enter(asked, judge(asked, around, false));
    const { approvalId } = judgement;
    if (!lets(judgement)) return { word: "refused", id: approvalId };
    if (over()) return { word: "died", id: approvalId };
    this.log.set(id, "unknown");
    if (over()) return { word: "died", id: approvalId };
    if (this.#world.plant === "use_without_log") this.log.delete(id);
    executed.set(n, (executed.get(n) ?? 0) + 1);
    if (over()) return { word: "died", id: approvalId };
    this.log.set(id, "ok");
    if (over()) return { word: "died", id: approvalId };
    await settle?.("ok");
    return { word: "executed", id: approvalId };
  }
}

class World {
  readonly clock = new SimClock();
  readonly database: SimDatabase;
  readonly executed = new Map<number, number>();
  readonly plant: string | undefined;
  #calls = 0;

  constructor(random: Random, plant?: string) {
    this.database = new SimDatabase(random, this.clock, noStoreFaults);
    this.plant = plant;
  }

  nextCall(): string {
    this.#calls += 1;
    return `call${this.#calls}`;
  }

  async approve(id: string): Promise<void> {
    const keys = approvalKeys(id);
    const people = new SharedState(this.database.open());
    await people.transact([keys.open, keys.closed], (values, nowMs) => {
      const before = approvalIn(values, keys);
      if (before === undefined) throw new Error(`no ${id}`);
      const ballot = { verdict: "approve", reason: "yes", channel: "cli", jti: id } as const;
      const cast = vote(before, { id: "bob", groups: [], alsoKnownAs: [] }, ballot, nowMs);
      return { writes: cast.ok ? approvalWrites(cast.value) : new Map(), result: undefined };
    });
  }

  state(id: string): string {
    const { open, closed } = approvalKeys(id);
    const stored = this.database.present.get(open) ?? this.database.present.get(closed) ?? "{}";
    return (JSON.parse(stored) as { state: string }).state;
  }
}

const storms: StoreFaults = { refused: 0.05, commitLost: 0.05, answerLost: 0.05, delayMsMax: 8 };
const grants = 6;
const usesEach = 8;

/** What is wrong after one schedule; empty when the promises hold. */
async function violations(seed: number, plant?: string): Promise<readonly string[]> {
  const random = new Random(seed);
  const world = new World(random.fork(), plant);
  const { clock, database } = world;
  const gateways = [1, 2, 3].map((n) => new Gateway(`g${n}`, world)) as [Gateway, Gateway, Gateway];
  const ids: string[] = [];
  for (let n = 0; n < grants; n++) {
    const { id } = await clock.run(random.pick(gateways).call(n, () => false));
    ids.push(id ?? "");
    await clock.run(world.approve(id ?? ""));
  }
  database.faults = storms;
  const dies = (): boolean => random.chance(0.08);
  const uses = Array.from({ length: grants * usesEach }, (_, i) => i % grants);
  const one = async (n: number): Promise<void> => {
    await clock.sleep(random.below(60));
    const gateway = random.pick(gateways);
    const { word } = await gateway.call(n, dies);
    if (word === "died") await gateway.restart();
  };
  await clock.run(Promise.all(uses.map(one)));
  database.faults = noStoreFaults;
  for (const gateway of gateways) await clock.run(gateway.restart());
  const wrong: string[] = [];
  for (const [n, id] of ids.entries()) {
    wrong.push(...wrongWith(n, world.state(id), world.executed.get(n) ?? 0));
    if (world.state(id) !== "granted") continue;
    const { word } = await clock.run(gateways[0].call(n, () => false));
    if (word !== "executed") wrong.push(`grant ${n} is good and was ${word}`);
  }
  return wrong;
}

function wrongWith(n: number, state: string, executed: number): readonly string[] {
  const isLost = executed === 0 && state !== "granted" && state !== "unknown";
  return [
    ...(executed > 1 ? [`grant ${n} executed ${executed} times`] : []),
    ...(executed > 0 && state === "granted" ? [`grant ${n} is good after it was used`] : []),
    ...(state === "claimed" ? [`grant ${n} is held by nobody who lives`] : []),
    ...(isLost ? [`grant ${n} is ${state} and was never executed`] : []),
  ];
}

test("no grant executes twice and none is lost, whatever dies when", async () => {
  for (let seed = 1; seed <= 60 * inject("effort"); seed++)
    expect(await violations(seed), `seed ${seed}`).toEqual([]);
}, 120_000);

test("a gateway that acts before its record is durable is found", async () => {
  const found: number[] = [];
  for (let seed = 1; seed <= 60; seed++)
    if ((await violations(seed, "use_without_log")).length > 0) found.push(seed);
  expect(found.length).toBeGreaterThan(0);
}, 120_000);
