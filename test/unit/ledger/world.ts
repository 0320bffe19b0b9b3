/** A process that records, in a world from a seed: many callers, crashes at any moment, and what they were told. */
import {
  type LogReport,
  type NoteVerifier,
  noteVerifier,
  verifyLog,
} from "../../../src/audit/index.ts";
import { type Ledger, openLedger } from "../../../src/ledger/index.ts";
import type { Disk, Signer } from "../../../src/ports.ts";
import { type FaultPlan, Random, SimClock, SimDisk, simSigner } from "../../../src/sim/index.ts";
import { policyEntry } from "./entries.ts";

/** Small bounds, so that a short life crosses each of them. */
const limits = {
  segmentBytesMax: 4_000,
  publishIntervalMs: 15,
  unpublishedEntriesMax: 300,
  receiptEntriesMax: 64,
  receiptBytesMax: 1_000_000,
  queueBytesMax: 10_000_000,
  groupEntriesMax: 16,
};

export interface Acknowledged {
  readonly index: number;
  readonly treeSize: number;
  readonly revision: string;
}

export class World {
  readonly random: Random;
  readonly clock: SimClock = new SimClock();
  readonly disk: SimDisk;
  readonly signer: Signer;
  readonly verifier: NoteVerifier;
  readonly acknowledged: Acknowledged[] = [];
  readonly checkpoints: string[] = [];
  readonly receipts: string[] = [];
  #sent = 0;

  constructor(seed: number, faults?: FaultPlan) {
    this.random = new Random(seed);
    this.disk = new SimDisk(this.random.fork(), this.clock, faults);
    this.signer = simSigner("gateway.example/log", this.random.fork());
    this.verifier = noteVerifier(this.signer.name, this.signer.publicKey);
  }

  open(disk: Disk = this.disk.mount()): ReturnType<typeof openLedger> {
    const origin = { instance: "i-1", site: "standalone", epoch: 0 };
    return openLedger({
      ...{ disk, signer: this.signer, clock: this.clock, origin, limits },
      ...{ tenant: "t", holdfastVersion: "0.1.0" },
    });
  }

  /** One caller: waits for each answer, keeps what it was told. Ends at the first refusal. */
  async caller(ledger: Ledger, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const revision = `r${this.#sent++}`;
      const size = this.random.chance(0.02) ? 70_000 : this.random.below(300);
      const appended = await ledger.append(policyEntry(revision, size));
      if (!appended.ok) return;
      this.acknowledged.push({ ...appended.value, revision });
      if (this.random.chance(0.1)) this.checkpoints.push(ledger.head().checkpoint);
      const receipt = this.random.chance(0.1) ? ledger.receipt(appended.value.index) : undefined;
      if (receipt !== undefined) this.receipts.push(receipt);
      await this.clock.sleep(this.random.below(4));
    }
  }

  /** Opens, lives with some callers for a while, then loses power. */
  async life(mount: (disk: Disk) => Disk = (disk) => disk): Promise<void> {
    const callers = 1 + this.random.below(8);
    const whole = async (): Promise<void> => {
      const opened = await this.open(mount(this.disk.mount()));
      if (!opened.ok) throw new Error(opened.error.detail);
      await Promise.all(Array.from({ length: callers }, () => this.caller(opened.value, 200)));
      if (this.random.chance(0.3)) await opened.value.close();
    };
    let failure: unknown;
    whole().catch((error: unknown) => {
      failure = error;
    });
    await this.clock.advance(1 + this.random.below(250));
    this.disk.crash();
    if (failure !== undefined) throw failure;
  }

  /** A last, quiet life; then the whole log against everything anyone was told. */
  async settle(): Promise<LogReport & { readonly lost: readonly Acknowledged[] }> {
    const opened = await this.clock.run(this.open());
    if (!opened.ok) throw new Error(opened.error.detail);
    await this.clock.run(opened.value.close());
    return this.verify();
  }

  async verify(): Promise<LogReport & { readonly lost: readonly Acknowledged[] }> {
    const revisions = new Map<number, string>();
    const report = await this.clock.run(
      verifyLog({
        files: this.disk.mount(),
        verifier: this.verifier,
        checkpoints: this.checkpoints,
        receipts: this.receipts,
        onEntry: (index, _leaf, entry) => {
          if (entry?.kind === "policy") revisions.set(index, entry.policy_version);
        },
      }),
    );
    const lost = this.acknowledged.filter(
      ({ index, revision }) => revisions.get(index) !== revision,
    );
    return { ...report, lost };
  }
}
