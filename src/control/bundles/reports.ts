/** What stock OPAs tell of themselves (OPA docs, "Status", "Decision Logs"): which revision each decides with, and why not. */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJsonStrict,
} from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";

/** The newest report of one OPA. */
export interface OpaInstance {
  /** `labels.id`. */
  readonly id: string;
  readonly labels: JsonObject;
  /** Of the bundle `holdfast`, or of the only one; null while none is active. */
  readonly revision: string | null;
  /** Why it could not take a newer bundle, in its words. */
  readonly error: string | null;
  readonly seenSecondsAgo: number;
}

interface Seen extends Omit<OpaInstance, "seenSecondsAgo"> {
  readonly seenMs: number;
}

const instancesMax = 1_000;
const labelsCharactersMax = 4_096;
const errorCharactersMax = 1_024;

/** Metrics in OPA's reports hold integers beyond 2^53, such as an unlimited memory limit of 2^63 - 1. */
const reportLimits = { bytesMax: 16 * 1024 * 1024, unsafeNumbers: "nearest" } as const;

export class OpaReports {
  readonly #clock: Clock;
  readonly #instances = new Map<string, Seen>();
  #decisions = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get decisionsReceived(): number {
    return this.#decisions;
  }

  /** By id. The longest silent go first when there are too many. */
  get instances(): readonly OpaInstance[] {
    const now = this.#clock.monotonicMs();
    return [...this.#instances.values()]
      .map(({ seenMs, ...rest }) => ({
        ...rest,
        seenSecondsAgo: Math.floor((now - seenMs) / 1_000),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** False when it is no status report. */
  status(body: Uint8Array): boolean {
    const parsed = parseJsonStrict(body, reportLimits);
    if (!parsed.ok || !isJsonObject(parsed.value)) return false;
    const { labels, bundles } = parsed.value;
    const id = isJsonObject(labels) ? labels["id"] : undefined;
    if (!isJsonObject(labels) || typeof id !== "string") return true;
    const told = JSON.stringify(labels).length > labelsCharactersMax ? {} : labels;
    // Deleted first, so that the order of the map is that of the last reports.
    this.#instances.delete(id);
    this.#instances.set(id, {
      ...{ id, labels: told, seenMs: this.#clock.monotonicMs() },
      ...bundleOf(isJsonObject(bundles) ? bundles : {}),
    });
    const [oldest] = this.#instances.keys();
    if (this.#instances.size > instancesMax && oldest !== undefined) this.#instances.delete(oldest);
    return true;
  }

  /** False when these are no decision logs. They are counted, not kept. */
  logs(body: Uint8Array): boolean {
    const parsed = parseJsonStrict(body, reportLimits);
    if (!parsed.ok || !isJsonArray(parsed.value)) return false;
    this.#decisions += parsed.value.length;
    return true;
  }
}

function bundleOf(bundles: JsonObject): Pick<OpaInstance, "revision" | "error"> {
  const [first] = Object.values(bundles);
  const bundle = bundles["holdfast"] ?? first;
  if (!isJsonObject(bundle)) return { revision: null, error: "it reports no bundle" };
  const { active_revision: revision, code, message } = bundle;
  const error = [code, message].filter(isText).join(": ").slice(0, errorCharactersMax);
  return { revision: isText(revision) ? revision : null, error: error === "" ? null : error };
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value !== "";
}
