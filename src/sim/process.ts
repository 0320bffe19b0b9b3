/**
 * A process that can be killed at any point. Everything it has of the world goes through a membrane: when it dies,
 * what it began may or may not have happened, and nothing it waits for ever comes back to it. So code that ran in it
 * stays where it was, as the code of a killed process does.
 */
import type { Result } from "../kernel/index.ts";
import type {
  AppendFile,
  Clock,
  Disk,
  DiskError,
  HttpRequest,
  HttpResponse,
  HttpTransport,
} from "../ports.ts";

/** Watches what a process does to the world. Called at the very moment, before anything else can happen. */
export interface ProcessWitness {
  /** The process hands a request to the network. */
  sending(request: HttpRequest): void;
  opened(path: string): void;
  appended(path: string, bytes: Uint8Array): void;
  /** A sync of everything appended by then came back ok: it is durable. */
  synced(path: string, sizeBytes: number): void;
  /** A file was replaced whole, durably. */
  replaced(path: string, bytes: Uint8Array): void;
  syncFailed(path: string): void;
}

/** Where in an operation a process can die: before it takes effect, or after, with the result never seen. */
export type CrashPoint = "before" | "after";

export interface SimProcessOptions {
  readonly witness: ProcessWitness;
  /** Asked at each operation; true kills the process there. */
  readonly diesAt: (operation: string, point: CrashPoint) => boolean;
  /** What dies with the process: unsynced bytes, locks. Called once. */
  readonly onDeath: (why: string) => void;
}

const never: Promise<never> = new Promise(() => {});

export class SimProcess {
  readonly #options: SimProcessOptions;
  /** Resolves when it is dead. */
  readonly died: Promise<undefined>;
  #alive = true;
  #bury: (value: undefined) => void = () => {};

  constructor(options: SimProcessOptions) {
    this.#options = options;
    this.died = new Promise((resolve) => {
      this.#bury = resolve;
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(why: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#bury(undefined);
    this.#options.onDeath(why);
  }

  /** Runs one operation on the world. */
  async touch<T>(operation: string, work: () => Promise<T>): Promise<T> {
    if (!this.#alive || this.#dies(operation, "before")) return never;
    const result = work();
    // Nobody may be left to hear of it.
    result.catch(() => {});
    if (this.#dies(operation, "after")) return never;
    const value = await result;
    return this.#alive ? value : never;
  }

  clock(clock: Clock): Clock {
    return {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (!this.#alive) await never;
      },
    };
  }

  transport(transport: HttpTransport): HttpTransport {
    return {
      send: async (request) => {
        const sent = await this.touch("send", () => {
          this.#options.witness.sending(request);
          return transport.send(request);
        });
        return sent.ok ? { ok: true, value: this.#response(sent.value) } : sent;
      },
    };
  }

  disk(disk: Disk): Disk {
    return {
      read: (path) => this.touch("read", () => disk.read(path)),
      list: (path) => this.touch("list", () => disk.list(path)),
      replace: (path, bytes) => this.touch("replace", () => this.#replace(disk, path, bytes)),
      remove: (path) => this.touch("remove", () => disk.remove(path)),
      lock: (path) => this.touch("lock", () => disk.lock(path)),
      openAppend: (path, keepBytes) => this.#openAppend(disk, path, keepBytes),
    };
  }

  async #openAppend(
    disk: Disk,
    path: string,
    keepBytes: number | undefined,
  ): Promise<Result<AppendFile, DiskError>> {
    const opened = await this.touch("openAppend", () => disk.openAppend(path, keepBytes));
    if (!opened.ok) return opened;
    this.#options.witness.opened(path);
    return { ok: true, value: this.#appendFile(path, opened.value) };
  }

  async #replace(disk: Disk, path: string, bytes: Uint8Array): Promise<Result<void, DiskError>> {
    const replaced = await disk.replace(path, bytes);
    if (replaced.ok) this.#options.witness.replaced(path, bytes);
    return replaced;
  }

  #appendFile(path: string, file: AppendFile): AppendFile {
    const { witness } = this.#options;
    return {
      get sizeBytes(): number {
        return file.sizeBytes;
      },
      append: (bytes) =>
        this.touch("append", () => {
          witness.appended(path, bytes);
          return file.append(bytes);
        }),
      sync: () =>
        this.touch("sync", async () => {
          const size = file.sizeBytes;
          const synced = await file.sync();
          if (synced.ok) witness.synced(path, size);
          else witness.syncFailed(path);
          return synced;
        }),
      close: () => this.touch("close", () => file.close()),
    };
  }

  #response(response: HttpResponse): HttpResponse {
    return { ...response, body: this.#body(response.body) };
  }

  async *#body(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      if (!this.#alive) await never;
      yield piece;
    }
  }

  #dies(operation: string, point: CrashPoint): boolean {
    if (!this.#options.diesAt(operation, point)) return false;
    this.kill(`at ${operation}, ${point} it took effect`);
    return true;
  }
}
