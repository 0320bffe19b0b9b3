/**
 * The promises, checked from outside while a simulated world runs. The witness sees what really happened: what the
 * disk made durable, what went on the wire, what an agent was told. It reads entries as an auditor does, and asks
 * neither the spine nor the ledger.
 */
import {
  type DecisionEntry,
  decodeEntry,
  type Entry,
  leafHash,
  readSegment,
} from "../audit/index.ts";
import { sha256Hex } from "../kernel/index.ts";
import type { HttpRequest } from "../ports.ts";
import type { Delivery } from "./network.ts";
import type { ProcessWitness } from "./process.ts";
import { expected, revisionNumber } from "./workload.ts";

/** A promise that was broken. */
export interface Violation {
  readonly promise:
    | "durable_before_forward"
    | "forwarded_as_judged"
    | "allowed_by_policy"
    | "forwarded_once"
    | "nothing_after_failed_sync"
    | "acknowledged_is_kept"
    | "log_verifies"
    | "answered"
    | "never_throws"
    | "available_after_faults";
  readonly detail: string;
}

export class Violations {
  readonly found: Violation[] = [];

  add(promise: Violation["promise"], detail: string): void {
    this.found.push({ promise, detail });
  }
}

/** An answer an agent holds in its hands: the entry it proves must stay in the log for ever. */
export interface Acknowledged {
  readonly call: string;
  readonly index: number;
  readonly leaf: string;
  readonly outcomeRecorded: boolean;
}

/** Decisions that are durable now, by call: parsed from the bytes of syncs that came back ok. */
export class DurableDecisions {
  readonly #decisions = new Map<string, DecisionEntry>();
  readonly #blobs = new Map<string, Uint8Array>();

  get(call: string): DecisionEntry | undefined {
    return this.#decisions.get(call);
  }

  /** A file that was replaced whole: the content of an entry too large for the log. */
  replaced(path: string, bytes: Uint8Array): void {
    if (path.startsWith("blobs/")) this.#blobs.set(`sha256:${path.slice("blobs/".length)}`, bytes);
  }

  records(bytes: Uint8Array): void {
    const segment = readSegment(bytes);
    if (!segment.ok) return;
    for (const { entries } of segment.value.records) for (const leaf of entries) this.#take(leaf);
  }

  #take(leaf: Uint8Array): void {
    const decoded = decodeEntry(leaf);
    if (!decoded.ok) return;
    if (decoded.value.kind === "decision") this.#decisions.set(decoded.value.call, decoded.value);
    if (decoded.value.kind !== "digest") return;
    const blob = this.#blobs.get(decoded.value.digest);
    if (blob !== undefined) this.#take(blob);
  }
}

/** One run of a process, watched. */
export class RunWitness implements ProcessWitness {
  readonly #durable: DurableDecisions;
  readonly #violations: Violations;
  /** Bytes appended to a file and not yet known durable. */
  readonly #pending = new Map<string, { at: number; pieces: Uint8Array[] }>();
  readonly #sent = new Set<string>();
  #syncFailed: string | undefined;

  constructor(durable: DurableDecisions, violations: Violations) {
    this.#durable = durable;
    this.#violations = violations;
  }

  opened(path: string): void {
    this.#pending.set(path, { at: 0, pieces: [] });
  }

  appended(path: string, bytes: Uint8Array): void {
    this.#pending.get(path)?.pieces.push(bytes.slice());
  }

  synced(path: string, sizeBytes: number): void {
    const pending = this.#pending.get(path);
    if (pending === undefined) return;
    const bytes = Buffer.concat(pending.pieces).subarray(0, sizeBytes - pending.at);
    this.#pending.set(path, { at: pending.at + bytes.length, pieces: [] });
    this.#durable.records(bytes);
  }

  replaced(path: string, bytes: Uint8Array): void {
    this.#durable.replaced(path, bytes);
  }

  syncFailed(path: string): void {
    this.#syncFailed ??= path;
  }

  sending({ url, headers, body = new Uint8Array() }: HttpRequest): void {
    const call = headers["idempotency-key"] ?? "";
    const entry = this.#durable.get(call);
    if (this.#syncFailed !== undefined)
      this.#violations.add("nothing_after_failed_sync", `${call} after ${this.#syncFailed} failed`);
    if (this.#sent.has(call)) this.#violations.add("forwarded_once", `${call} was sent twice`);
    this.#sent.add(call);
    if (entry !== undefined) this.#compare(entry, toolOf(url), body);
    else this.#violations.add("durable_before_forward", `${call}: no durable decision entry`);
  }

  #compare(entry: DecisionEntry, tool: string, body: Uint8Array): void {
    const { call, decision, policy_version } = entry;
    if (decision !== "allow" && decision !== "sanitize")
      this.#violations.add(
        "durable_before_forward",
        `${call} was forwarded, its entry says ${decision}`,
      );
    const judged = entry.sanitized_payload_digest ?? entry.args_digest;
    if (`sha256:${sha256Hex(body)}` !== judged || tool !== entry.tool)
      this.#violations.add("forwarded_as_judged", `${call}: ${tool} ${judged} was judged`);
    const args = JSON.parse(Buffer.from(body).toString());
    const right = expected(revisionNumber(policy_version), {
      tool: entry.tool as `${string}:${string}`,
      args,
    });
    if (right !== decision)
      this.#violations.add(
        "allowed_by_policy",
        `${call}: ${policy_version} says ${right}, entry ${decision}`,
      );
  }
}

export function toolOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

/** The whole log as an auditor reads it, after a restart or at the end. */
export class LogAudit {
  readonly #leaves: string[] = [];
  readonly #decisions = new Map<
    string,
    { readonly index: number; readonly entry: DecisionEntry }
  >();
  readonly #outcomes = new Set<string>();
  readonly #versions = new Set<string>();
  readonly #violations: Violations;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  next(index: number, leaf: Uint8Array, entry: Entry | undefined): void {
    this.#leaves[index] = Buffer.from(leafHash(leaf)).toString("hex");
    if (entry?.kind === "policy") this.#versions.add(entry.policy_version);
    if (entry?.kind === "outcome") this.#outcomes.add(entry.call);
    if (entry?.kind !== "decision") return;
    this.#decisions.set(entry.call, { index, entry });
    if (entry.policy_version !== "none" && !this.#versions.has(entry.policy_version))
      this.#violations.add(
        "allowed_by_policy",
        `entry ${index}: ${entry.policy_version} decided before its policy entry`,
      );
  }

  /** What agents were told is still there. */
  holds(acknowledged: readonly Acknowledged[]): void {
    for (const { call, index, leaf, outcomeRecorded } of acknowledged) {
      if (this.#leaves[index] !== leaf)
        this.#violations.add(
          "acknowledged_is_kept",
          `entry ${index} (${call}) is not the acknowledged one`,
        );
      if (outcomeRecorded && !this.#outcomes.has(call))
        this.#violations.add("acknowledged_is_kept", `the outcome of ${call} is missing`);
    }
  }

  /** What the upstream received was decided. */
  covers(journal: readonly Delivery[]): void {
    for (const { headers } of journal) {
      const call = headers["idempotency-key"] ?? "";
      const decision = this.#decisions.get(call)?.entry.decision;
      if (decision !== "allow" && decision !== "sanitize")
        this.#violations.add(
          "durable_before_forward",
          `the upstream received ${call}; the log says ${decision ?? "nothing"}`,
        );
    }
  }
}
