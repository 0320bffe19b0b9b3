/**
 * Every way the world can touch us, on one page. Each port has two implementations, a real one in `adapters/` and a
 * simulated one in `sim/`, and both pass the same contract tests (`test/contracts/`).
 *
 * Read each comment as a contract: what is durable, what may be repeated, and which error means "it did not happen"
 * and which "it may have happened".
 */
import type {
  CallObservation,
  JsonObject,
  Result,
  TraceBeside,
  TransportError,
} from "./kernel/index.ts";

export { TransportFailure } from "./kernel/index.ts";
export type { CallObservation, TraceBeside, TransportError };

/** Time. The wall clock may jump either way; only the monotonic clock measures how long something took or may take. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. Never used for a deadline. */
  wallMs(): number;
  /** Milliseconds since some start. Never decreases. */
  monotonicMs(): number;
  /** Resolves after `ms` of monotonic time, or as soon as `signal` aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Chance. Cryptographic in production, from the seed in the simulator. */
export interface Entropy {
  bytes(count: number): Uint8Array;
}

/**
 * `not_found`, `exists` and `refused` mean nothing changed. `failed` on a write or a sync means it may have happened,
 * and is never retried: a later successful fsync says nothing about the bytes of the failed one. Stop, restart, verify.
 */
export interface DiskError {
  readonly kind: "not_found" | "exists" | "refused" | "failed";
  /** The system's word for it: `EIO`, `ENOSPC`, … */
  readonly code: string;
  readonly path: string;
}

/** An open append-only file. */
export interface AppendFile {
  /** Bytes accepted so far, durable or not. */
  readonly sizeBytes: number;
  /** Adds bytes at the end, in order. Not durable until a later `sync` resolves; a crash may tear it anywhere. */
  append(bytes: Uint8Array): Promise<Result<void, DiskError>>;
  /** When it resolves ok, everything appended before the call survives any crash (fdatasync). */
  sync(): Promise<Result<void, DiskError>>;
  close(): Promise<void>;
}

/** Durable bytes in one folder. Paths are relative, `/`-separated, without `..`. Parents are made when needed. */
export interface Disk {
  /** The whole file. */
  read(path: string): Promise<Result<Uint8Array, DiskError>>;
  /** Names in a folder, sorted, folders ending in `/`; an absent folder is empty. */
  list(path: string): Promise<Result<readonly string[], DiskError>>;
  /**
   * Replaces the file whole: after a crash it is the old or the new content, never a mixture. Durable when it resolves
   * ok (write aside, fsync, rename, fsync of the folder).
   */
  replace(path: string, bytes: Uint8Array): Promise<Result<void, DiskError>>;
  /** Opens for appending, making it (durably, as a name) when absent. Bytes after `keepBytes`, if given, are cut off first. */
  openAppend(path: string, keepBytes?: number): Promise<Result<AppendFile, DiskError>>;
  remove(path: string): Promise<Result<void, DiskError>>;
  /**
   * Takes the folder for this process alone until `release`; `refused` while another living process has it. Released
   * by the death of the process.
   */
  lock(path: string): Promise<Result<{ release(): Promise<void> }, DiskError>>;
}

/** An Ed25519 key that signs. The private half never leaves the implementation. */
export interface Signer {
  /** The signed-note key name, also the log's origin when it signs checkpoints. */
  readonly name: string;
  /** Raw 32-byte public key. */
  readonly publicKey: Uint8Array;
  /** 64-byte signature (RFC 8032). Throws only when the key is gone. */
  sign(message: Uint8Array): Uint8Array;
}

/** One HTTP request to an upstream. Header names are lower case. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Until the response head. */
  readonly headTimeoutMs: number;
  /** Between two pieces of the body; 0 for a stream that may stay silent. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; repeated headers keep each value. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Ends early with a throw of `TransportFailure` when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** HTTP to upstreams. Sends once; never retries, never follows a redirect. */
export interface HttpTransport {
  send(request: HttpRequest): Promise<Result<HttpResponse, TransportError>>;
}

/** A line-delimited JSON-RPC peer: an MCP server started as a child process. */
export interface LinePeer {
  /** Writes one line. Resolves when the operating system has it; `unknown` when the peer may have read part of it. */
  send(line: Uint8Array): Promise<Result<void, TransportError>>;
  /** Each line the peer writes, without its newline, until it ends. Iterated once. */
  readonly lines: AsyncIterable<Uint8Array>;
  /** Resolves when the peer is gone, with what is known of why. */
  readonly closed: Promise<string>;
  /** Asks it to end (stdin closed, then SIGTERM, then SIGKILL). */
  close(): Promise<void>;
}

export interface PeerCommand {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly lineBytesMax: number;
}

export interface LinePeers {
  start(command: PeerCommand): Promise<Result<LinePeer, TransportError>>;
}

/**
 * `conflict`: another process changed one of the keys between our read and our commit; nothing happened, and the same
 * attempt may be made again at once. `unreachable` and `busy`: it did not happen; the first may last, the second passes.
 * `unknown`: it may have happened; read what the attempt would have written.
 */
export interface StoreError {
  readonly kind: "conflict" | "unreachable" | "busy" | "unknown";
  readonly detail: string;
}

export type StoredValue = { readonly key: string; readonly value: JsonObject };
export type StoredValues = ReadonlyMap<string, JsonObject>;

/** What an attempt leaves; `null` removes a key. */
export type StoreWrites = ReadonlyMap<string, JsonObject | null>;

/** A fencing token: who `raises` it waits for all attempts under it, and they wait for it, but not for one another. */
export type StoreFence = { readonly key: string; readonly raises: boolean };

/**
 * State that several processes share: small JSON values by key, in one order for all of them. Keys are visible ASCII, so
 * that every database and JavaScript order them alike. Every read is from the primary, never from a replica, and sees
 * every change that was acknowledged before it began.
 */
export interface Store {
  /**
   * One attempt at a transaction: reads `keys` and the fence that it is `under`, asks `compute` what to write, and commits
   * exactly that if the values are still those that were read. All or nothing; ok means durable. `compute` runs at most
   * once. No writes: no commit. `nowMs` is the wall clock of the store, one for all processes; it may jump either way.
   */
  attempt(
    keys: readonly string[],
    compute: (values: StoredValues, nowMs: number) => StoreWrites,
    under?: StoreFence,
  ): Promise<Result<void, StoreError>>;
  /** The present values of these keys, of one moment; absent keys are absent. */
  read(keys: readonly string[]): Promise<Result<StoredValues, StoreError>>;
  /** Values whose key starts with `prefix` (which ends with `/`) and is after `after`, by key; at most `countMax`. */
  list(
    prefix: string,
    countMax: number,
    after: string,
  ): Promise<Result<readonly StoredValue[], StoreError>>;
  /** Later use is `unreachable`. */
  close(): Promise<void>;
}

/** Structured log for people. Never the audit record, never awaited. */
export interface Log {
  write(
    level: "debug" | "info" | "warn" | "error",
    event: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
}

/** Telemetry. Loses data rather than delaying a call. */
export interface Telemetry {
  /** The `traceparent` to send upstream for this call: a child of the caller's, or a new trace. */
  startCall(
    traceparent: string | undefined,
    beside?: TraceBeside,
  ): {
    readonly traceparent: string;
    /** Goes along with it. */
    readonly tracestate?: string;
    /** `traceparent` is a span that will be exported: messages that can carry context should. */
    readonly isExported?: boolean;
    end(observation: CallObservation): void;
  };
  /** A counter by name and labels. */
  count(name: string, labels: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void;
}

/** One condition that users' own Rego answers, with its input document. */
export interface RegoQuestion {
  readonly condition: {
    /** Digest of a module that was loaded. */
    readonly module: string;
    readonly entrypoint: string;
    readonly timeoutMs: number;
    readonly memoryMiBMax: number;
  };
  readonly input: JsonObject;
}

/** Users' own Rego, compiled to WebAssembly. It runs apart: however long it takes, the calls of others go on. */
export interface RegoRuntime {
  /** Makes these modules ready. Those of the load before stay, for calls that began with them; older ones are forgotten. */
  load(
    modules: ReadonlyMap<string, { readonly wasm: Uint8Array; readonly data: Uint8Array }>,
  ): Promise<Result<void, string>>;
  /**
   * Whether the condition holds. The error says why that cannot be told: undefined, neither true nor false, too slow, too
   * large, a trap, too many waiting. Never rejects; takes about `timeoutMs` from its turn on, at most.
   */
  ask(question: RegoQuestion): Promise<Result<boolean, string>>;
}

/** What a provider says of somebody who has just signed in, verified. */
export interface SignedIn {
  readonly issuer: string;
  readonly subject: string;
  readonly name?: string;
  readonly email?: string;
  /** False unless the provider says otherwise: anybody may have typed the address in. */
  readonly emailVerified: boolean;
}

/** One sign-in under way. Kept by the browser that began it, and by nobody else; good for one return. */
export interface SignInPending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/**
 * People prove to an OpenID Connect provider who they are. `unreachable`: try again later. `refused`: this sign-in proved
 * nothing, and nobody is signed in. Errors are sentences for the person at the browser.
 */
export interface SignIn {
  /** Where the browser goes, to come back with a query for `finish`. */
  start(): Promise<Result<{ readonly url: string; readonly pending: SignInPending }, SignInError>>;
  /** `query`: what the browser came back with, as sent. The same one a second time is refused. */
  finish(query: string, pending: SignInPending): Promise<Result<SignedIn, SignInError>>;
  /** Where the provider publishes the keys of its tokens. */
  keysUrl(): Promise<Result<string, SignInError>>;
}

export interface SignInError {
  readonly kind: "unreachable" | "refused";
  readonly detail: string;
}

/** What people are told of approvals, the same for every channel. All text is plain: no markup in it means anything. */
export interface Notice {
  /** Of the message: the same for every try, every update, every reminder. Visible ASCII. */
  readonly id: string;
  /** One question; several of low risk answered together; that too many were asked to tell each; or drills that are overdue. */
  readonly kind: "question" | "digest" | "flood" | "drills";
  /** `open`: people are asked. The rest says what became of it; `over`: of a flood, of a digest, of drills. */
  readonly status:
    | "open"
    | "granted"
    | "declined"
    | "expired"
    | "revoked"
    | "used"
    | "unknown"
    | "over";
  readonly urgency: "low" | "high" | "critical";
  /** At most 150 characters. */
  readonly title: string;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Exactly what would be done, whole, over several lines; null where there is nothing to show, or too much. */
  readonly body: string | null;
  /** What an answer given in the message binds itself to; empty: it cannot be answered there (any more). */
  readonly answers: readonly BoundAnswer[];
  /** The page where people sign in, see everything and answer. */
  readonly link: string;
  /** Approvers whose turn it is; empty: whoever may answer. */
  readonly turn: readonly string[];
  /** Approvers who may answer, without the requester. */
  readonly eligible: readonly string[];
}

/** The approval as it was shown. An answer to any other version, or for other arguments, does not count. */
export interface BoundAnswer {
  readonly approval: string;
  readonly version: number;
  readonly argsDigest: string;
}

/**
 * `not_delivered`: nobody was told; the same again is right. `unknown`: people may have been told; the same again is
 * right too, because a repetition carries the same id. `refused`: it will be refused again until somebody changes
 * something (a token, a channel that is gone).
 */
export interface NotifyError {
  readonly kind: "not_delivered" | "unknown" | "refused";
  readonly detail: string;
  /** The channel asked to be left alone so long. */
  readonly retryAfterMs?: number;
}

/** Where a message is, in the channel's own words; kept in the store. */
export type NoticePlace = JsonObject;

/** One channel by which people are told. Each call is one try and ends within `notifyTimeoutMs` (10 s). Never rejects. */
export interface Notifier {
  /** Tells people for the first time. */
  deliver(notice: Notice): Promise<Result<NoticePlace, NotifyError>>;
  /** Makes the message say what is so now. A channel that cannot change what it sent tells only how it ended. */
  update(place: NoticePlace, notice: Notice): Promise<Result<NoticePlace, NotifyError>>;
  /** Tells people again that they are waited for (or that nobody answered in time), beside the first message. */
  remind(place: NoticePlace, notice: Notice): Promise<Result<NoticePlace, NotifyError>>;
}

/** One question to one component of a site: is it intact? */
export interface ProbeQuestion {
  readonly component: string;
  /** How it is shown, with the variables of the site filled in; `kind` says which probe answers. */
  readonly verification: JsonObject;
  readonly site: string;
  /** Fresh for every question; visible ASCII. */
  readonly nonce: string;
  /** The digest its configuration must have, where the manifest says so. */
  readonly configDigest?: string;
  readonly timeoutMs: number;
}

/** What a probe saw. `inconclusive`: it saw nothing that means anything. Holds no secret. */
export interface ProbeFinding {
  readonly verdict: "pass" | "fail" | "inconclusive";
  /** One sentence: what was seen, against what was expected. */
  readonly because: string;
  readonly observed: JsonObject;
  /** Bound to the site and the nonce by its own words, or only by the address that was asked. */
  readonly boundBy: "echo" | "address";
  /** The site and the nonce that the answer names; the same as asked, or it is no PASS. */
  readonly site: string;
  readonly nonce: string;
}

/** Asks a component of a site. Leaves nothing behind that changes what agents may do. */
export interface Probe {
  /** Never rejects; answers within `timeoutMs` of monotonic time, or soon after `signal` aborts. */
  ask(question: ProbeQuestion, signal: AbortSignal): Promise<ProbeFinding>;
}

/** Runs a program to its end: no shell, only the environment given. Its whole process group ends with the timeout. */
export interface Commands {
  /**
   * `exitCode` is null when ended, or never begun (`errors` says why); of each output the last 64 KiB. Never rejects.
   */
  run(
    argv: readonly [string, ...string[]],
    env: Readonly<Record<string, string>>,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<{
    readonly exitCode: number | null;
    readonly output: string;
    readonly errors?: string;
  }>;
}
