/**
 * An application that writes one row every few milliseconds through a load balancer, and connects again as often as it takes. It
 * learns from the database which site it writes to, as an agent does that runs beside the primary.
 */
import { Client } from "pg";

export interface Written {
  readonly id: number;
  /** The port of the PostgreSQL that took it. */
  readonly port: number;
  readonly atMs: number;
}

const everyMs = 20;

export class DatabaseWriter {
  readonly written: Written[] = [];
  /** Rows that nobody acknowledged, connections that were refused. */
  failures = 0;
  readonly #port: number;
  readonly #onWritten: (written: Written) => Promise<void>;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(port: number, onWritten: (written: Written) => Promise<void>) {
    this.#port = port;
    this.#onWritten = onWritten;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const client = new Client({
        ...{ host: "127.0.0.1", port: this.#port, user: "postgres", database: "postgres" },
        ...{ connectionTimeoutMillis: 2_000, query_timeout: 2_000 },
      });
      client.on("error", () => undefined);
      try {
        await client.connect();
        await this.#writeOn(client);
      } catch {
        this.failures += 1;
        await pause(100);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  async #writeOn(client: Client): Promise<void> {
    while (!this.#stopped) {
      const { rows } = await client.query(
        "INSERT INTO action (at) VALUES (now()) RETURNING id::int, inet_server_port() AS port",
      );
      const [row] = rows as { id: number; port: number }[];
      if (row === undefined) throw new Error("an INSERT that returned nothing");
      const written = { ...row, atMs: performance.now() };
      this.written.push(written);
      await this.#onWritten(written);
      await pause(everyMs);
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
