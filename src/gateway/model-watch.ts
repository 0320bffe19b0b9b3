/**
 * The gateway's eye on the runtime model: the snapshot that the control process makes, read again and again. A decision
 * looks a node up in memory and waits for nothing. What is too old counts as unknown, and so does everything where there is
 * no snapshot; a bad one changes nothing, and what was read before grows old.
 */
import type { JsonObject, Result } from "../kernel/index.ts";
import { err, ok } from "../kernel/index.ts";
import {
  type FactsHead,
  readFactsHead,
  readTargetFacts,
  type TargetFacts,
} from "../model/index.ts";
import { type ModelFacts, type TargetTemplate, targetOf } from "../policy/index.ts";
import type { Clock, Disk, Log, Telemetry } from "../ports.ts";
import type { ModelSource } from "./judge.ts";
import { Turns } from "./turns.ts";

export interface ModelWatchParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly path: string;
  readonly pollMs: number;
  /** How old the newest thing may be that the model was told, before nothing it says counts. */
  readonly freshForMs: number;
}

/** A snapshot from further in the future than clocks of one machine differ was made under another time. */
const aheadMsMax = 5_000;
/** The longest that calls wait while a snapshot is read. */
const turnMsMax = 2;
const targetsMax = 1_000_000;

interface Snapshot {
  readonly head: FactsHead;
  readonly targets: ReadonlyMap<string, TargetFacts>;
}

export class ModelWatch implements ModelSource {
  readonly #parts: ModelWatchParts;
  readonly #turns: Turns;
  #snapshot: Snapshot | undefined;
  #mark = "";
  #complaint = "";

  constructor(parts: ModelWatchParts) {
    this.#parts = parts;
    this.#turns = new Turns(parts.clock, turnMsMax);
  }

  /** For people: which snapshot answers, and how old what it rests on is. */
  status(wallMs: number): { version: number; targets: number; ageSeconds: number | null } | null {
    const { head } = this.#snapshot ?? {};
    if (head === undefined) return null;
    const age = this.#ageMs(head, wallMs);
    const ageSeconds = age === undefined ? null : Math.floor(age / 1_000);
    return { version: head.version, targets: head.targets, ageSeconds };
  }

  facts(template: TargetTemplate | undefined, args: JsonObject, wallMs: number): ModelFacts {
    const target = template && targetOf(template, args);
    if (template === undefined || target === undefined) return { known: false, why: "no_target" };
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return { known: false, why: "no_model" };
    const ageMs = this.#ageMs(snapshot.head, wallMs);
    if (ageMs === undefined || ageMs > this.#parts.freshForMs)
      return { known: false, why: "stale" };
    const known = snapshot.targets.get(target);
    if (known === undefined) return { known: false, why: "unknown_target" };
    return factsOf(known, template.change, ageMs);
  }

  /** Undefined when it cannot be told: nothing was ever told, or the clocks disagree. */
  #ageMs({ madeAtMs, toldAtMs }: FactsHead, wallMs: number): number | undefined {
    if (toldAtMs === null || madeAtMs - wallMs > aheadMsMax) return undefined;
    return Math.max(0, wallMs - Math.min(madeAtMs, toldAtMs));
  }

  /** Reads the snapshot once. */
  async refresh(): Promise<"unchanged" | "read" | "absent" | "refused"> {
    const { disk, path, clock } = this.#parts;
    const read = await disk.read(path);
    if (!read.ok) return "absent";
    // Every snapshot has a head of its own; a digest of all of a large one would take longer than calls may wait.
    const mark = `${read.value.length} ${lineAt(read.value, 0).line}`;
    if (mark === this.#mark) return "unchanged";
    this.#mark = mark;
    const snapshot = await this.#take(read.value);
    if (!snapshot.ok) return this.#refused(snapshot.error);
    this.#snapshot = snapshot.value;
    this.#complaint = "";
    this.#parts.telemetry.gauge("model_facts_targets", {}, snapshot.value.targets.size);
    const age = this.#ageMs(snapshot.value.head, clock.wallMs());
    if (age !== undefined) this.#parts.telemetry.gauge("model_facts_age_seconds", {}, age / 1_000);
    return "read";
  }

  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await this.#parts.clock.sleep(this.#parts.pollMs, signal);
    }
  }

  /** Line by line, with room for calls in between. */
  async #take(bytes: Uint8Array): Promise<Result<Snapshot, string>> {
    const first = lineAt(bytes, 0);
    const head = readFactsHead(first.line);
    if (!head.ok) return head;
    const targets = new Map<string, TargetFacts>();
    let [count, from] = [0, first.next];
    let wrong: string | undefined;
    const step = (): boolean => {
      if (from >= bytes.length || wrong !== undefined || count > targetsMax) return false;
      const { line, next } = lineAt(bytes, from);
      const facts = readTargetFacts(line);
      if (facts.ok) targets.set(facts.value.target, facts.value);
      else wrong = `line ${count + 2}: ${facts.error}`;
      count += 1;
      from = next;
      return true;
    };
    while (await this.#turns.turn(step));
    if (wrong === undefined && (head.value.targets !== count || count > targetsMax))
      wrong = `it says ${head.value.targets} targets (at most ${targetsMax}) and holds ${count}`;
    return wrong === undefined ? ok({ head: head.value, targets }) : err(wrong);
  }

  #refused(error: string): "refused" {
    const { log, telemetry, path } = this.#parts;
    telemetry.count("model_facts_refused", {});
    if (error !== this.#complaint) log.write("error", "model_facts_refused", { path, error });
    this.#complaint = error;
    return "refused";
  }
}

/** One line of a text that is decoded as it is read. */
function lineAt(bytes: Uint8Array, from: number): { readonly line: string; readonly next: number } {
  const end = bytes.indexOf(0x0a, from);
  const to = end < 0 ? bytes.length : end;
  return { line: new TextDecoder().decode(bytes.subarray(from, to)), next: to + 1 };
}

function factsOf(known: TargetFacts, change: string, ageMs: number): ModelFacts {
  const reached =
    (Object.hasOwn(known.reached, change) && known.reached[change]) || known.reached["*"];
  const { services, share, zones, dataClasses } = reached;
  if (share === null) return { known: false, why: "no_traffic" };
  return {
    known: true,
    target: known.target,
    ageSeconds: Math.floor(ageMs / 1_000),
    blastRadius: {
      trafficShare: share.value,
      trafficShareLow: share.low,
      trafficShareHigh: share.high,
      ...{ services, zones, dataClasses },
    },
    dependents: known.dependents,
    recentChanges: known.recentChanges,
    memory: { count: known.memory.count, sameChange: known.memory.byChange[change] ?? 0 },
  };
}
