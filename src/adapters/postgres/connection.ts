/**
 * One connection to the primary, used by one after another, made when it is needed and thrown away at the first fault: a
 * connection whose last answer is unknown is never used again. Every host of the URL is tried in turn until one is not a standby.
 */
import { Client, type QueryResult } from "pg";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { StoreError } from "../../ports.ts";

export interface PostgresTarget {
  /** One `postgres://` URL for each host, in the order to try. */
  readonly urls: readonly string[];
  readonly applicationName: string;
  /** A standby will do: for reading how far it has come. */
  readonly standbys?: boolean;
}

const connectTimeoutMs = 2_000;
/** Silence on an open connection is a fault too: a network that drops everything answers nothing. */
const answerTimeoutMs = 5_000;

/**
 * A process that is stopped in the middle of a transaction must not hold its locks: the server ends it. A lock that is
 * not had in time is somebody else's long transaction, and ours did not happen.
 */
const sessionSettings = [
  "idle_in_transaction_session_timeout=2000",
  "lock_timeout=2000",
  "default_transaction_isolation=read\\ committed",
];

export class Connection {
  readonly #target: PostgresTarget;
  #client: Client | undefined;
  /** Ends when everybody before has ended: a connection answers one after another. */
  #turn: Promise<void> = Promise.resolve();
  /** The last fault; whoever waited behind it shares it, and does not wait for the next one. */
  #fault: StoreError | undefined;
  #notices: string[] = [];
  #ended = false;

  constructor(target: PostgresTarget) {
    this.#target = target;
  }

  /** Runs `use` on a connection to the primary, alone. After any fault in it the connection is closed. */
  async with<T>(
    use: (client: Client) => Promise<Result<T, StoreError>>,
  ): Promise<Result<T, StoreError>> {
    const [before, fault] = [this.#turn, this.#fault];
    let over = (): void => undefined;
    this.#turn = new Promise((resolve) => {
      over = resolve;
    });
    await before;
    try {
      if (this.#fault !== undefined && this.#fault !== fault)
        return err({ kind: "unreachable", detail: this.#fault.detail });
      return await this.#alone(use);
    } finally {
      over();
    }
  }

  /** What the server remarked since the last time this was asked. */
  takeNotices(): readonly string[] {
    return this.#notices.splice(0);
  }

  /** Closes for good, also what is under way. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#drop();
  }

  async #alone<T>(
    use: (client: Client) => Promise<Result<T, StoreError>>,
  ): Promise<Result<T, StoreError>> {
    const connected = await this.#connected();
    const used = connected.ok ? await attempted(use, connected.value) : connected;
    if (used.ok || used.error.kind === "conflict") return used;
    this.#fault = used.error;
    await this.#drop();
    return used;
  }

  async #connected(): Promise<Result<Client, StoreError>> {
    if (this.#ended) return err(closed);
    if (this.#client !== undefined) return ok(this.#client);
    const connected = await this.#connectAny();
    if (!connected.ok) return connected;
    this.#client = connected.value;
    if (!this.#ended) return connected;
    // It was closed while it connected.
    await this.#drop();
    return err(closed);
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await end(client);
  }

  async #connectAny(): Promise<Result<Client, StoreError>> {
    const refusals: string[] = [];
    for (const url of this.#target.urls) {
      const connected = await this.#connect(url);
      if (connected.ok) return connected;
      refusals.push(`${new URL(url).host}: ${connected.error}`);
    }
    return err({ kind: "unreachable", detail: refusals.join("; ") });
  }

  async #connect(url: string): Promise<Result<Client, string>> {
    const client = new Client({
      connectionString: url,
      application_name: this.#target.applicationName,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: answerTimeoutMs,
      keepAlive: true,
      options: sessionSettings.map((setting) => `-c ${setting}`).join(" "),
    });
    client.on("notice", ({ message }) => this.#notices.push(message ?? ""));
    // A connection may break while nobody uses it; the next use finds out by itself.
    client.on("error", () => undefined);
    try {
      await client.connect();
      // A primary that becomes a standby restarts, which ends this connection; so once is enough.
      const answer: QueryResult<{ standby: boolean }> = await client.query(
        "SELECT pg_is_in_recovery() AS standby",
      );
      if (answer.rows[0]?.standby === false || this.#target.standbys === true) return ok(client);
      await end(client);
      return err("it is a standby, and nothing is decided on a replica");
    } catch (thrown) {
      await end(client);
      return err(describe(thrown));
    }
  }
}

const closed: StoreError = { kind: "unreachable", detail: "the store was closed" };

async function attempted<T>(
  use: (client: Client) => Promise<Result<T, StoreError>>,
  client: Client,
): Promise<Result<T, StoreError>> {
  try {
    return await use(client);
  } catch (thrown) {
    return err({ kind: "unreachable", detail: describe(thrown) });
  }
}

/** `end` waits for a server that may never answer, so it is not waited for long. */
export async function end(client: Client | undefined): Promise<void> {
  if (client === undefined) return;
  const ended = client.end().catch(() => undefined);
  const late = new Promise<void>((resolve) => {
    setTimeout(resolve, 200).unref();
  });
  await Promise.race([ended, late]);
}

/** One line, with the server's own code where there is one. */
export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? `${thrown.code} ` : "";
  return code + (thrown.message === "" ? thrown.name : thrown.message);
}

/** A URL with several hosts (libpq, "Connection URIs") as one URL for each. */
export function hostUrls(url: string): Result<readonly string[], string> {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]*)(.*)$/.exec(url);
  const [, start = "", hosts = "", rest = ""] = parts ?? [];
  const urls = hosts.split(",").map((host) => `${start}${host}${rest}`);
  if (parts === null || !urls.every((each) => URL.canParse(each)))
    return err("the store's address is no postgres:// URL");
  return ok(urls);
}
