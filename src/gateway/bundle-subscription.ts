/**
 * Policy from a bundle server, by OPA's bundle protocol (OPA docs, "Bundles"): polls with the ETag, waits with long
 * polling where the server offers it, and hands what is new to the policy source, which checks and stores it. A server
 * that cannot be reached changes nothing: the stored bundle decides, and how long ago it was confirmed is told.
 */
import { readBody } from "../kernel/index.ts";
import type { Clock, Entropy, HttpResponse, HttpTransport, Log, Telemetry } from "../ports.ts";
import type { Refreshed } from "./policy-source.ts";

export interface BundleServer {
  /** Of the bundle itself. */
  readonly url: string;
  /** Asked before each request, so that a rotated token is used; undefined sends none. Throws when it cannot be read. */
  readonly token: () => Promise<string | undefined>;
  /** Between two requests, chosen anew each time so that a fleet spreads out. */
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** How long the server may hold a request until there is something new; 0 does not ask it to. */
  readonly waitSecondsMax: number;
  /** Without a confirmation for longer than this, the policy is told as stale. */
  readonly staleAfterMs: number;
  readonly bytesMax: number;
}

export interface SubscriptionParts extends BundleServer {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly http: HttpTransport;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** `PolicySource`. */
  readonly source: {
    offer(archive: Uint8Array): Promise<Refreshed>;
    refresh(): Promise<Refreshed>;
    readonly lastError: string | undefined;
  };
}

export interface SubscriptionStatus {
  readonly url: string;
  /** Since the server last gave the bundle that decides, or said that it is still the newest; null before the first time. */
  readonly confirmedSecondsAgo: number | null;
  /** The same, and since the start before the first time. */
  readonly ageSeconds: number;
  readonly stale: boolean;
  /** Why the newest request did not confirm it. */
  readonly error: string | null;
}

interface Asked {
  /** Undefined when the server confirmed what decides, or gave something newer. */
  readonly error: string | undefined;
  /** The server held the request: it tells of news at once, so nothing is to be gained by waiting here. */
  readonly held: boolean;
}

/** Said by a server that holds requests, in every answer (OPA docs, "Bundles", HTTP long polling). */
const longPollingType = "application/vnd.openpolicyagent.bundles";
const requestTimeoutMs = 30_000;
/** At least this long from one request to the next, whatever a server says. */
const pauseMsMin = 1_000;
const backoffDoublingsMax = 6;

export class BundleSubscription {
  readonly #parts: SubscriptionParts;
  #etag: string | undefined;
  readonly #startedMs: number;
  #confirmedMs: number | undefined;
  #error: string | undefined = "the bundle server was not asked yet";
  #failures = 0;
  #toldStale = false;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
  }

  get status(): SubscriptionStatus {
    const { clock, url, staleAfterMs } = this.#parts;
    const now = clock.monotonicMs();
    const ageMs = now - (this.#confirmedMs ?? this.#startedMs);
    const ageSeconds = Math.floor(ageMs / 1_000);
    return {
      ...{ url, ageSeconds },
      confirmedSecondsAgo: this.#confirmedMs === undefined ? null : ageSeconds,
      stale: ageMs > staleAfterMs,
      error: this.#error ?? null,
    };
  }

  /** Asks until `signal` aborts. The stored bundle decides from the first moment. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, source } = this.#parts;
    await source.refresh();
    while (!signal.aborted) {
      const beganMs = clock.monotonicMs();
      const asked = await this.#ask(signal);
      if (signal.aborted) return;
      this.#settle(asked);
      const spentMs = clock.monotonicMs() - beganMs;
      await clock.sleep(Math.max(this.#delayMs(asked), pauseMsMin - spentMs), signal);
    }
  }

  #delayMs({ error, held }: Asked): number {
    const { entropy, delayMsMin, delayMsMax } = this.#parts;
    const [high = 0, low = 0] = entropy.bytes(2);
    const chance = (high * 256 + low) / 65_536;
    if (error === undefined && held) return 0;
    if (error === undefined) return delayMsMin + chance * (delayMsMax - delayMsMin);
    const doubled = pauseMsMin * 2 ** Math.min(this.#failures - 1, backoffDoublingsMax);
    // Half is certain and half is chance: a fleet that lost its server comes back spread out.
    return Math.min(doubled, delayMsMax) * (0.5 + chance / 2);
  }

  #settle({ error }: Asked): void {
    const { clock, log, telemetry, url } = this.#parts;
    if (error === undefined) {
      if (this.#failures > 0 || this.#toldStale)
        log.write("info", "bundle_server_answers", { url });
      this.#failures = 0;
      this.#toldStale = false;
      this.#confirmedMs = clock.monotonicMs();
    } else {
      this.#failures += 1;
      telemetry.count("bundle_requests_failed", {});
      if (error !== this.#error) log.write("warn", "bundle_not_confirmed", { url, error });
    }
    this.#error = error;
    if (!this.#toldStale && this.status.stale) {
      this.#toldStale = true;
      log.write("error", "bundle_stale", {
        url,
        error,
        age_seconds: this.status.ageSeconds,
      });
    }
  }

  async #ask(signal: AbortSignal): Promise<Asked> {
    const { http, url, waitSecondsMax } = this.#parts;
    const headers = await this.#headers();
    if (typeof headers === "string") return { error: headers, held: false };
    const sent = await http.send({
      ...{ method: "GET", url, headers, signal },
      headTimeoutMs: requestTimeoutMs + waitSecondsMax * 1_000,
      idleTimeoutMs: requestTimeoutMs,
    });
    if (!sent.ok) return { error: `${sent.error.reason}: ${sent.error.detail}`, held: false };
    const type = String(sent.value.headers["content-type"] ?? "");
    const held = waitSecondsMax > 0 && type.startsWith(longPollingType);
    return { error: await this.#take(sent.value), held };
  }

  async #headers(): Promise<Record<string, string> | string> {
    const { token, waitSecondsMax } = this.#parts;
    try {
      const bearer = await token();
      const wait = waitSecondsMax > 0 ? `;wait=${waitSecondsMax}` : "";
      return {
        // Deltas are not read here.
        prefer: `modes=snapshot${wait}`,
        ...(this.#etag === undefined ? {} : { "if-none-match": this.#etag }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      };
    } catch (thrown) {
      return `the token of the bundle server cannot be read: ${String(thrown)}`;
    }
  }

  /** Why the answer confirms nothing; undefined when it does. */
  async #take(response: HttpResponse): Promise<string | undefined> {
    const { source } = this.#parts;
    const archive = await readBody(response, this.#parts.bytesMax);
    if (!archive.ok) return `the bundle: ${archive.error}`;
    if (response.status === 304)
      return this.#etag === undefined ? "304 without having asked" : undefined;
    if (response.status !== 200) return `the bundle server answered ${response.status}`;
    // Only what decides is left out of later answers: a refused bundle is asked for, and refused, again.
    this.#etag = undefined;
    if ((await source.offer(archive.value)) === "refused")
      return source.lastError ?? "the bundle of the server was refused";
    const { etag } = response.headers;
    if (typeof etag === "string") this.#etag = etag;
    return undefined;
  }
}
