/**
 * Simulated child processes that speak lines. A pipe neither loses nor doubles lines; what can happen is that the
 * peer dies: before it read a line, or after it acted on it and before it answered.
 */
import { err, ok, type Result } from "../kernel/index.ts";
import {
  type Clock,
  type LinePeer,
  type LinePeers,
  type PeerCommand,
  type TransportError,
  TransportFailure,
} from "../ports.ts";
import { type FaultCounts, strikes } from "./faults.ts";
import type { Random } from "./random.ts";

/** Started for each peer: answers a line with lines, or ends with a reason. */
export type SimProgram = (command: PeerCommand) => (line: Uint8Array) => SimLineAnswer;
export type SimLineAnswer = readonly Uint8Array[] | { readonly dies: string };

export interface PeerFaults {
  /** Cannot be started. */
  readonly startRefused: number;
  /** Dies with a line unread: `unknown`, because the sender cannot tell. */
  readonly diesBeforeLine: number;
  /** Acts, and dies before it answers. */
  readonly diesAfterLine: number;
  readonly delayMsMax: number;
}

export const noPeerFaults: PeerFaults = {
  startRefused: 0,
  diesBeforeLine: 0,
  diesAfterLine: 0,
  delayMsMax: 0,
};

export interface SimLinePeersOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: FaultCounts;
  readonly faults: PeerFaults;
  /** By the first word of the command. A name that is not there cannot be started. */
  readonly programs: ReadonlyMap<string, SimProgram>;
}

export class SimLinePeers implements LinePeers {
  readonly #options: SimLinePeersOptions;

  constructor(options: SimLinePeersOptions) {
    this.#options = options;
  }

  async start(command: PeerCommand): Promise<Result<LinePeer, TransportError>> {
    const { programs, random, counts, faults } = this.#options;
    const program = programs.get(command.command[0]);
    if (program === undefined || strikes(random, counts, "peer.startRefused", faults.startRefused))
      return err({ kind: "not_sent", reason: "refused", detail: `${command.command[0]}: ENOENT` });
    return ok(new SimPeer(this.#options, program(command), command.lineBytesMax));
  }
}

class SimPeer implements LinePeer {
  readonly closed: Promise<string>;
  readonly lines: AsyncIterable<Uint8Array>;
  readonly #options: SimLinePeersOptions;
  readonly #answer: (line: Uint8Array) => SimLineAnswer;
  readonly #lineBytesMax: number;
  readonly #written: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #ended: string | undefined;
  #end: (reason: string) => void = () => {};
  /** Lines are answered one after the other. */
  #busy: Promise<void> = Promise.resolve();

  constructor(
    options: SimLinePeersOptions,
    answer: (line: Uint8Array) => SimLineAnswer,
    lineBytesMax: number,
  ) {
    this.#options = options;
    this.#answer = answer;
    this.#lineBytesMax = lineBytesMax;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.lines = this.#read();
  }

  async send(line: Uint8Array): Promise<Result<void, TransportError>> {
    if (this.#ended !== undefined)
      return err({
        kind: "not_sent",
        reason: "broken",
        detail: `the peer is gone: ${this.#ended}`,
      });
    if (this.#strikes("diesBeforeLine")) {
      this.#die("killed before it read a line");
      return err({ kind: "unknown", reason: "broken", detail: "the pipe broke" });
    }
    this.#busy = this.#busy.then(() => this.#act(line.slice()));
    return ok(undefined);
  }

  async close(): Promise<void> {
    await this.#busy;
    this.#die("asked to end");
  }

  async #act(line: Uint8Array): Promise<void> {
    const { clock, random, faults } = this.#options;
    if (faults.delayMsMax > 0) await clock.sleep(random.below(faults.delayMsMax + 1));
    if (this.#ended !== undefined) return;
    const answer = this.#answer(line);
    if ("dies" in answer) return this.#die(answer.dies);
    if (this.#strikes("diesAfterLine")) return this.#die("killed before it answered");
    this.#written.push(...answer);
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const line = this.#written.shift();
      if (line !== undefined) yield this.#measured(line);
      else if (this.#ended !== undefined) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #measured(line: Uint8Array): Uint8Array {
    if (line.length <= this.#lineBytesMax) return line;
    const detail = `a line is over ${this.#lineBytesMax} bytes`;
    throw new TransportFailure({ kind: "unknown", reason: "too_large", detail });
  }

  #die(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#end(reason);
    this.#wake?.();
  }

  #strikes(kind: "diesBeforeLine" | "diesAfterLine"): boolean {
    const { random, counts, faults } = this.#options;
    return strikes(random, counts, `peer.${kind}`, faults[kind]);
  }
}
