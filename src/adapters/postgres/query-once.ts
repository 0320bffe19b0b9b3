/** A few statements on a connection of their own, for probes: bounded in time, closed whatever happens. */
import { Socket } from "node:net";
import { Client } from "pg";
import { err, ok, type Result } from "../../kernel/index.ts";
import { describe, end } from "./connection.ts";

export interface QueryOnce {
  /** `postgres://…`; a secret, in no error. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly applicationName: string;
}

/** The columns of each row in order, as the server's own text; null stays null. */
export type Rows = readonly (readonly (string | null)[])[];

/** Throws with the server's code and words. */
export type Asked = (sql: string, values?: readonly string[]) => Promise<Rows>;

/**
 * Connects, gives `use` a way to ask, and closes. The error is one sentence with the server's code; what `use` throws becomes one
 * too. After the abort the socket is gone, also when the server is frozen.
 */
export async function queryOnce<T>(
  { url, timeoutMs, signal, applicationName }: QueryOnce,
  use: (ask: Asked) => Promise<T>,
): Promise<Result<T, string>> {
  if (signal.aborted) return err("the connection was cut");
  const socket = new Socket();
  const cut = (): void => void socket.destroy();
  signal.addEventListener("abort", cut, { once: true });
  let client: Client | undefined;
  try {
    client = new Client({
      connectionString: url,
      application_name: applicationName,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      stream: () => socket,
      types: { getTypeParser: () => (value: string) => value },
    });
    client.on("error", () => undefined);
    await client.connect();
    const connected = client;
    const value = await use(async (text, values = []) => {
      const query = { text, values: [...values], rowMode: "array" };
      const { rows } = await connected.query(query).catch((thrown: unknown) => {
        throw new Error(describe(thrown));
      });
      return rows as Rows;
    });
    return ok(value);
  } catch (thrown) {
    return err(signal.aborted ? "the connection was cut" : describe(thrown));
  } finally {
    await end(client);
    signal.removeEventListener("abort", cut);
    socket.destroy();
  }
}
