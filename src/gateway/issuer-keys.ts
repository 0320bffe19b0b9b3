/** The public keys of one issuer: fetched, kept, fetched again; the last good set stays when a fetch fails. */
import { type KeySet, keySetOf } from "../identity/index.ts";
import { err, ok, parseJsonStrict, type Result, readBody } from "../kernel/index.ts";
import type { Clock, HttpTransport, Log } from "../ports.ts";

export interface IssuerKeysPorts {
  readonly clock: Clock;
  readonly http: HttpTransport;
  readonly log: Log;
}

const headTimeoutMs = 5_000;
const bodyBytesMax = 256 * 1024;
/** A set older than this is fetched again, in the background. */
const refreshAfterMs = 10 * 60_000;
/** Between two fetches, whatever asks for them: a stream of made-up key ids must not become a stream of requests. */
const fetchIntervalMs = 10_000;

/** Keys behind a JWK Set URL. */
export class IssuerKeys {
  readonly #url: string;
  readonly #ports: IssuerKeysPorts;
  /** Called when the set is not the one before. */
  readonly #changed: () => void;
  #good: { readonly keys: KeySet; readonly text: string; readonly fetchedMs: number } | undefined;
  #triedMs: number | undefined;
  #problem = "not fetched yet";
  #running: Promise<void> | undefined;

  constructor(url: string, ports: IssuerKeysPorts, changed: () => void) {
    this.#url = url;
    this.#ports = ports;
    this.#changed = changed;
  }

  /** The newest good set; waits only when there is none yet. The error says why there is none. */
  async current(): Promise<Result<KeySet, string>> {
    if (this.#good === undefined) await this.refresh();
    return this.#good === undefined ? err(this.#problem) : ok(this.#good.keys);
  }

  /** Starts a fetch when the set is old. Never waits. */
  refreshWhenOld(): void {
    const good = this.#good;
    if (good === undefined) return;
    if (this.#ports.clock.monotonicMs() - good.fetchedMs >= refreshAfterMs) void this.refresh();
  }

  /** Fetches, unless that was done in the last 10 s. One fetch at a time; later callers wait for it. */
  async refresh(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#triedMs !== undefined && nowMs - this.#triedMs < fetchIntervalMs) return;
    this.#triedMs = nowMs;
    this.#running = this.#ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #ask(): Promise<void> {
    const fetched = await fetchKeySet(this.#url, this.#ports.http);
    if (!fetched.ok) {
      this.#problem = fetched.error;
      const kept = this.#good !== undefined;
      this.#ports.log.write("warn", "issuer_keys_failed", {
        url: this.#url,
        why: fetched.error,
        kept,
      });
      return;
    }
    const before = this.#good?.text;
    this.#good = { ...fetched.value, fetchedMs: this.#ports.clock.monotonicMs() };
    if (before !== undefined && before !== fetched.value.text) {
      this.#ports.log.write("info", "issuer_keys_changed", { url: this.#url });
      this.#changed();
    }
  }
}

async function fetchKeySet(
  url: string,
  http: HttpTransport,
): Promise<Result<{ readonly keys: KeySet; readonly text: string }, string>> {
  const sent = await http.send({
    method: "GET",
    url,
    headers: { accept: "application/jwk-set+json, application/json" },
    headTimeoutMs,
    idleTimeoutMs: headTimeoutMs,
  });
  if (!sent.ok) return err(`${sent.error.reason}: ${sent.error.detail}`);
  const body = await readBody(sent.value, bodyBytesMax);
  if (!body.ok) return body;
  if (sent.value.status !== 200) return err(`status ${sent.value.status}`);
  const parsed = parseJsonStrict(body.value);
  if (!parsed.ok) return err(`not strict JSON: ${parsed.error.detail}`);
  const keys = keySetOf(parsed.value);
  return keys.ok ? ok({ keys: keys.value, text: new TextDecoder().decode(body.value) }) : keys;
}
