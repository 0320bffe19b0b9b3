/**
 * Gateways that carry out held writes, in virtual time: they share one database with faults, each has a log that survives
 * its process, and any of them dies between any two steps. The upstreams keep a journal.
 */
import type { CallOutcome } from "../../../src/audit/index.ts";
import {
  type Draft,
  type EscrowItem,
  endedByPerson,
  hold,
  holdKeys,
  itemKeys,
  queuePrefix,
  readItem,
  released,
  step,
} from "../../../src/escrow/index.ts";
import type { Forwarded, Governed } from "../../../src/gateway/call.ts";
import { EscrowExecutor } from "../../../src/gateway/escrow/index.ts";
import { presencePrefix } from "../../../src/gateway/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  SimClock,
  SimDatabase,
  simEntropy,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { someone } from "./fake-spine.ts";

const bounds = { itemsMax: 500, bytesMax: 1e6, itemsPerAgentMax: 500, bytesPerAgentMax: 1e6 };
const telemetry = { count: () => undefined, gauge: () => undefined } as never;

/** What an upstream makes of a request: it acts or not, and its answer comes or not. */
type Weather = () => "answers" | "acts, no answer" | "no answer" | "not reached";

export class SimUpstream {
  readonly received: string[] = [];
  readonly effects: string[] = [];
  weather: Weather = () => "answers";
  /** Until it answers. */
  answerMs = 0;
  readonly honours: boolean;

  constructor(honours: boolean) {
    this.honours = honours;
  }

  take(key: string): Forwarded<unknown> {
    const weather = this.weather();
    const came = (outcome: CallOutcome): Forwarded<unknown> => ({
      ...{ outcome, detail: weather, resultBytes: 0, answer: undefined },
    });
    if (weather === "not reached") return came("not_sent");
    const known = this.effects.includes(key);
    this.received.push(key);
    if (weather !== "no answer" && !(known && this.honours)) this.effects.push(key);
    return came(weather === "answers" ? "ok" : "unknown");
  }
}

export class EscrowWorld {
  readonly clock: SimClock = new SimClock();
  readonly random: Random;
  readonly database: SimDatabase;
  readonly upstreams: { readonly bank: SimUpstream; readonly shop: SimUpstream } = {
    bank: new SimUpstream(true),
    shop: new SimUpstream(false),
  };
  /** By log: what it holds of each call. */
  readonly logs: Map<string, Map<string, CallOutcome>> = new Map();
  /** Keys that a person had sent again. */
  readonly sentAgain: string[] = [];
  #runs = 0;
  readonly #people: SharedState;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.database = new SimDatabase(this.random.fork(), this.clock);
    this.#people = new SharedState(this.database.open());
  }

  /** A process of the gateway `instance`; `kill` ends it between any two steps, and nothing it began comes to an end. */
  start(instance: string): { kill(): void; freezeNext(ms: number): void } {
    this.#runs += 1;
    const run = `run-${this.#runs}`;
    const life = new Life();
    const log = this.logs.get(instance) ?? new Map<string, CallOutcome>();
    this.logs.set(instance, log);
    const state = new SharedState(life.bound(this.database.open(), this.clock));
    const executor = new EscrowExecutor({
      ...{ state, telemetry, run, clock: life.clock(this.clock), log: recordingLog() },
      entropy: simEntropy(this.random.fork()),
      origin: { instance, site: "s", epoch: 0 },
      logName: instance,
      spine: { govern: (request, forward) => this.#govern(life, log, request, forward) },
      senders: new Map(
        Object.entries(this.upstreams).map(([name, upstream]) => [
          name,
          () =>
            ok(async (judged) => {
              const came = upstream.take(judged.idempotencyKey);
              await life.lives(this.clock.sleep(upstream.answerMs));
              return came;
            }),
        ]),
      ),
      honouring: new Set(["bank"]),
      fateOf: async () => ok(log),
    });
    executor.follow(life.signal).catch(() => undefined);
    this.#present(instance, state, life).catch(() => undefined);
    return {
      kill: () => life.end(),
      freezeNext: (ms) => {
        life.frozenMs = ms;
        life.isFrozen = true;
      },
    };
  }

  /** As the spine does it: decide, record, forward, record. Each line takes time, in which the process may die. */
  async #govern(
    life: Life,
    log: Map<string, CallOutcome>,
    request: Parameters<ConstructorParameters<typeof EscrowExecutor>[0]["spine"]["govern"]>[0],
    forward: (judged: never) => Promise<Forwarded<unknown>>,
  ): Promise<Governed<never>> {
    const { callId = "", idempotencyKey = "" } = request.released ?? {};
    const pause = (): Promise<void> => life.lives(this.clock.sleep(this.random.below(20)));
    await pause();
    log.set(callId, "unknown");
    await pause();
    const frozenMs = life.frozenMs;
    life.frozenMs = 0;
    await life.lives(this.clock.sleep(frozenMs));
    const forwarded = await forward({ idempotencyKey } as never);
    await pause();
    log.set(callId, forwarded.outcome);
    await pause();
    const decision = { call_id: callId, decision: "allow" };
    return { decision, forwarded } as unknown as Governed<never>;
  }

  async #present(instance: string, state: SharedState, life: Life): Promise<void> {
    const key = presencePrefix + instance;
    for (;;) {
      // Frozen all of it; only what `#govern` does is seen by the tests.
      if (life.isFrozen) await life.lives(this.clock.sleep(200_000));
      const seen = { seen: new Date(this.clock.wallMs()).toISOString() };
      await state.transact([key], () => ({ writes: new Map([[key, seen]]), result: undefined }));
      await life.lives(this.clock.sleep(1_000));
    }
  }

  async hold(id: string, upstream: string): Promise<void> {
    const draft: Draft = {
      ...{ id, upstream, tool: `${upstream}:write`, face: "http", method: "POST" },
      ...{ tenant: "acme", agent: "buyer", model: null, principal: null, delegation: [] },
      ...{ idempotency_key: id, args: { id }, args_digest: id, args_redacted: {}, met: [] },
      carry: { identity: { ...someone }, question: {}, send: {} },
      ...{ repeats: null, risk: "high", policy_version: "r", determining_rules: [] },
      ...{ cause: { by: "switch", text: "drill" }, instance: "a" },
    };
    const held = await this.clock.run(
      this.#people.transact(holdKeys(draft), (values, now) => hold(values, draft, bounds, now)),
    );
    if (!held.ok || held.value.kind !== "queued") throw new Error(JSON.stringify(held));
  }

  async open(): Promise<readonly EscrowItem[]> {
    const faults = this.database.faults;
    this.database.faults = noStoreFaults;
    const listed = await this.clock.run(this.#people.list(queuePrefix, 1_000));
    this.database.faults = faults;
    if (!listed.ok) throw new Error(listed.error.detail);
    return listed.value.map(({ value }) => readItem(value) as EscrowItem);
  }

  /** What a person does: lets everything go that is queued, and looks up what nobody knows. */
  async person(): Promise<void> {
    const faults = this.database.faults;
    this.database.faults = noStoreFaults;
    for (const item of await this.open()) {
      const happened = this.upstreams.shop.effects.includes(item.id);
      if (item.state !== "queued" && item.state !== "unknown") continue;
      const done = await this.clock.run(
        this.#people.transact(itemKeys(item), (values, now) =>
          step(values, item, (each) =>
            each.version === item.version
              ? item.state === "unknown" && happened
                ? endedByPerson(each, "executed", "ann", "seen", now)
                : released(each, "ann", "go", now)
              : { ok: false, error: "changed" },
          ),
        ),
      );
      if (done.ok && done.value.ok && item.state === "unknown" && !happened)
        this.sentAgain.push(item.id);
    }
    this.database.faults = faults;
  }
}

/** A process: once it has ended, nothing it waited for ever comes. */
class Life {
  /** Before the next forward, the process stands still for so long. */
  frozenMs = 0;
  isFrozen = false;
  readonly #end = new AbortController();

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  end(): void {
    this.#end.abort();
  }

  async lives<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    return this.signal.aborted ? await new Promise<T>(() => undefined) : result;
  }

  clock(clock: SimClock): SimClock {
    const own = Object.create(clock) as SimClock;
    own.sleep = (ms, signal) => this.lives(clock.sleep(ms, signal));
    own.wallMs = () => clock.wallMs();
    own.monotonicMs = () => clock.monotonicMs();
    return own;
  }

  /** A store whose answers do not reach a dead process; what it had sent may arrive all the same. */
  bound(store: ReturnType<SimDatabase["open"]>, clock: SimClock): ReturnType<SimDatabase["open"]> {
    const dead = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.lives(clock.sleep(1));
      return await this.lives(work());
    };
    return {
      attempt: (keys, compute) => dead(() => store.attempt(keys, compute)),
      read: (keys) => dead(() => store.read(keys)),
      list: (prefix, countMax, after) => dead(() => store.list(prefix, countMax, after)),
      close: () => store.close(),
    };
  }
}
