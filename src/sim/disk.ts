/**
 * The `Disk` port in memory. What is synced and what is not are kept apart; `crash` keeps the first and does with the
 * second what real disks do: drops it, tears it, leaves holes of zeroes, forgets or keeps names. It never reports a
 * success that is not one, and makes up no bytes.
 */
import { assert, err, ok, type Result } from "../kernel/index.ts";
import type { AppendFile, Disk, DiskError } from "../ports.ts";
import type { SimClock } from "./clock.ts";
import type { Random } from "./random.ts";

const sectorBytes = 512;

export type DiskOperation = "read" | "list" | "replace" | "open" | "append" | "sync" | "remove";

/** `lost`: an error, and nothing happened. `saved`: an error, although it happened. `full`: ENOSPC after a part. */
export type DiskFault = "lost" | "saved" | "full";

/** Asked before each operation, numbered from 0. */
export type FaultPlan = (
  operation: DiskOperation,
  path: string,
  number: number,
) => DiskFault | undefined;

interface SimFile {
  /** What the running system sees. */
  live: Uint8Array;
  /** How much of it is durable. */
  syncedBytes: number;
  /** A sync failed: the kernel forgot which bytes were dirty, so later syncs cover nothing before this. */
  lostSync: boolean;
  /** Replaced or removed, and the folder not yet synced: what a crash may bring back (`null`: nothing). */
  before: SimFile | null | undefined;
}

export class SimDisk {
  readonly #random: Random;
  readonly #clock: SimClock;
  readonly #faults: FaultPlan;
  #files = new Map<string, SimFile>();
  /** Removed names that a crash may bring back. */
  #removed = new Map<string, SimFile>();
  #locks = new Set<string>();
  #boot = 0;
  #operations = 0;
  /** Faults injected so far, by kind; crashes and torn files too. */
  readonly injected: Record<string, number> = {};

  constructor(random: Random, clock: SimClock, faults: FaultPlan = () => undefined) {
    this.#random = random;
    this.#clock = clock;
    this.#faults = faults;
  }

  /** Operations asked for so far: the range of `number` in a fault plan. */
  get operations(): number {
    return this.#operations;
  }

  /** The disk as one process sees it. After a crash its pending and later operations never resolve. */
  mount(): Disk {
    const boot = this.#boot;
    const operate = <T>(
      operation: DiskOperation,
      path: string,
      effect: () => Result<T, DiskError>,
      part?: () => void,
    ): Promise<Result<T, DiskError>> => this.#operate(boot, operation, path, effect, part);
    return {
      read: (path) => operate("read", path, () => this.#read(path)),
      list: (path) => operate("list", path, () => ok(this.#list(path))),
      replace: async (path, bytes) => {
        const renamed = await operate("replace", path, () => this.#rename(path, bytes.slice()));
        // Between the rename and the sync of the folder a crash may still bring back the old name.
        return renamed.ok ? operate("sync", path, () => this.#settleName(path)) : renamed;
      },
      openAppend: async (path, keepBytes) => {
        const opened = await operate("open", path, () => this.#open(path, keepBytes));
        if (!opened.ok) return opened;
        const named = await operate("sync", path, () => this.#settleName(path));
        return named.ok ? ok(this.#appendFile(path, opened.value, operate)) : named;
      },
      remove: (path) => operate("remove", path, () => this.#remove(path)),
      lock: async (path) => this.#lock(path, boot),
    };
  }

  /** The files as they are now, for an auditor: takes no time, meets no fault, changes nothing. */
  inspect(): Pick<Disk, "read" | "list"> {
    return {
      read: async (path) => this.#read(path),
      list: async (path) => ok(this.#list(path)),
    };
  }

  /** Every process dies, the machine lives: mounts and locks are gone, what was written and not synced is still there. */
  killProcesses(): void {
    this.#boot += 1;
    this.#count("process death");
    this.#locks.clear();
  }

  /** The power goes. Every mount dies; what is on the disk now is what the next one finds. */
  crash(): void {
    this.#boot += 1;
    this.#count("crash");
    this.#locks.clear();
    for (const [path, file] of this.#removed)
      if (!this.#files.has(path) && this.#random.chance(0.5)) {
        this.#count("removal undone");
        this.#files.set(path, file);
      }
    this.#removed = new Map();
    for (const [path, file] of [...this.#files]) {
      const kept = this.#afterCrash(file);
      if (kept) this.#files.set(path, kept);
      else this.#files.delete(path);
    }
  }

  #afterCrash(file: SimFile): SimFile | undefined {
    if (file.before !== undefined && this.#random.chance(0.5)) {
      this.#count("name undone");
      return file.before ? this.#afterCrash(file.before) : undefined;
    }
    const live = this.#tear(file);
    return { live, syncedBytes: live.length, lostSync: false, before: undefined };
  }

  /** The synced bytes and some of the rest: a prefix, possibly with sectors that were never written. */
  #tear({ live, syncedBytes }: SimFile): Uint8Array {
    if (live.length === syncedBytes) return live;
    const length = syncedBytes + this.#random.below(live.length - syncedBytes + 1);
    const torn = live.slice(0, this.#random.chance(0.3) ? live.length : length);
    if (torn.length > syncedBytes && this.#random.chance(0.4))
      for (let at = syncedBytes; at < torn.length; ) {
        const end = Math.min(torn.length, (Math.floor(at / sectorBytes) + 1) * sectorBytes);
        if (this.#random.chance(0.5)) torn.fill(0, at, end);
        at = end;
      }
    this.#count("torn append");
    return torn;
  }

  async #operate<T>(
    boot: number,
    operation: DiskOperation,
    path: string,
    effect: () => Result<T, DiskError>,
    part: () => void = () => undefined,
  ): Promise<Result<T, DiskError>> {
    const fault = this.#faults(operation, path, this.#operations++);
    await this.#clock.sleep(0.05 + this.#random.below(100) / 50);
    if (boot !== this.#boot) return new Promise(() => undefined);
    if (fault === undefined) return effect();
    this.#count(`${operation} ${fault}`);
    if (fault === "saved") effect();
    if (fault === "full") part();
    return err({ kind: "failed", code: fault === "full" ? "ENOSPC" : "EIO", path });
  }

  #read(path: string): Result<Uint8Array, DiskError> {
    const file = this.#files.get(path);
    return file ? ok(file.live.slice()) : err({ kind: "not_found", code: "ENOENT", path });
  }

  #list(path: string): readonly string[] {
    const prefix = path === "" ? "" : `${path}/`;
    const names = [...this.#files.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
      .map((name) => (name.includes("/") ? name.slice(0, name.indexOf("/") + 1) : name));
    return [...new Set(names)].sort();
  }

  #rename(path: string, live: Uint8Array): Result<void, DiskError> {
    const before = this.#files.get(path) ?? null;
    this.#files.set(path, { live, syncedBytes: live.length, lostSync: false, before });
    return ok(undefined);
  }

  #settleName(path: string): Result<void, DiskError> {
    const file = this.#files.get(path);
    if (file) file.before = undefined;
    this.#removed.delete(path);
    return ok(undefined);
  }

  #open(path: string, keepBytes?: number): Result<SimFile, DiskError> {
    const found = this.#files.get(path);
    const file = found ?? {
      ...{ live: new Uint8Array(0), syncedBytes: 0, lostSync: false },
      before: this.#removed.get(path) ?? null,
    };
    this.#files.set(path, file);
    if (keepBytes !== undefined) {
      assert(keepBytes <= file.live.length, `${path} has ${keepBytes} bytes to keep`);
      file.live = file.live.slice(0, keepBytes);
    }
    file.syncedBytes = file.live.length;
    return ok(file);
  }

  #remove(path: string): Result<void, DiskError> {
    const file = this.#files.get(path);
    if (!file) return err({ kind: "not_found", code: "ENOENT", path });
    this.#files.delete(path);
    this.#removed.set(path, file);
    return ok(undefined);
  }

  #lock(path: string, boot: number): Result<{ release(): Promise<void> }, DiskError> {
    if (boot !== this.#boot || this.#locks.has(path))
      return err({ kind: "refused", code: "EBUSY", path });
    this.#locks.add(path);
    return ok({
      release: async () => {
        if (boot === this.#boot) this.#locks.delete(path);
      },
    });
  }

  #appendFile(path: string, file: SimFile, operate: Operate): AppendFile {
    const write = (bytes: Uint8Array): Result<void, DiskError> => {
      file.live = Buffer.concat([file.live, bytes]);
      return ok(undefined);
    };
    return {
      get sizeBytes(): number {
        return file.live.length;
      },
      append: (bytes) => {
        const whole = bytes.slice();
        const part = (): void => {
          write(whole.subarray(0, this.#random.below(whole.length)));
        };
        return operate("append", path, () => write(whole), part);
      },
      sync: async () => {
        const { length } = file.live;
        const synced = await operate("sync", path, () => {
          if (!file.lostSync) file.syncedBytes = Math.max(file.syncedBytes, length);
          return ok(undefined);
        });
        if (!synced.ok) file.lostSync = true;
        return synced;
      },
      close: async () => undefined,
    };
  }

  #count(kind: string): void {
    this.injected[kind] = (this.injected[kind] ?? 0) + 1;
  }
}

type Operate = <T>(
  operation: DiskOperation,
  path: string,
  effect: () => Result<T, DiskError>,
  part?: () => void,
) => Promise<Result<T, DiskError>>;
