/**
 * One service of the shop: routes over HTTP, calls to others, settings and flags that are read anew while it runs. It prints
 * its address when it listens and ends with SIGTERM.
 *
 * The folder `SHOP_FOLDER` is its surroundings: `addresses.json` (where the others are), `defaults.json` (settings that a release
 * of the shop's defaults brings to every client), `flags.json`, and `machines.json` (how its machine is doing).
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ShopTelemetry, startTelemetry } from "./telemetry.ts";

export interface Defaults {
  /** How long a client waits for the catalogue. */
  readonly catalogueTimeoutMs: number;
  /** How long a client waits for anybody else. */
  readonly callTimeoutMs: number;
}

export interface Surroundings {
  readonly version: string;
  readonly defaults: Defaults;
  readonly flags: Readonly<Record<string, boolean>>;
  /** Takes about so long, and longer on a machine that is not well. */
  work(ms: number): Promise<void>;
  call(peer: string, method: string, path: string, timeoutMs: number): Promise<unknown>;
  log: ShopTelemetry["log"];
}

/** `METHOD /path`; what follows the path is given as the second argument. */
export type Routes = Readonly<
  Record<string, (shop: Surroundings, rest: string) => Promise<unknown>>
>;

interface Machine {
  /** Everything takes longer: a slow disk, a noisy neighbour. */
  readonly slowMs?: number;
  /** Part of the processor time that something in the process eats up. */
  readonly burn?: number;
}

/** The bank is a provider, known by the name it has on the Internet. */
const hosts: Readonly<Record<string, string>> = { bank: "bank.example.com" };

const folder = process.env["SHOP_FOLDER"] ?? ".";
const readAgainMs = 200;

function read<T>(name: string): T | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, name), "utf8")) as T;
  } catch {
    // Not there yet, or being replaced: what was read before holds.
    return undefined;
  }
}

/** What the files of the surroundings say, looked at again and again. */
class Files {
  addresses: Readonly<Record<string, string>> = {};
  defaults: Defaults = { catalogueTimeoutMs: 1_000, callTimeoutMs: 2_000 };
  flags: Readonly<Record<string, boolean>> = {};
  machine: Machine = {};
  readonly #service: string;

  constructor(service: string) {
    this.#service = service;
    this.look();
    setInterval(() => this.look(), readAgainMs).unref();
  }

  look(): void {
    this.addresses = read("addresses.json") ?? this.addresses;
    this.defaults = read("defaults.json") ?? this.defaults;
    this.flags = read("flags.json") ?? this.flags;
    this.machine = read<Record<string, Machine>>("machines.json")?.[this.#service] ?? {};
  }
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

export function serve(service: string, routes: Routes): void {
  const version = process.env["SHOP_VERSION"] ?? "1.0.0";
  const telemetry = startTelemetry(service, version, process.env["SHOP_COLLECTOR"] ?? "");
  const files = new Files(service);
  let jitter = 1;
  const shop: Surroundings = {
    version,
    get defaults() {
      return files.defaults;
    },
    get flags() {
      return files.flags;
    },
    work: (ms) => {
      // The same few lengths in turn: nothing here is left to chance.
      jitter = (jitter * 7) % 11;
      return sleep(ms * (0.8 + jitter / 27) + (files.machine.slowMs ?? 0));
    },
    call: (peer, method, path, timeoutMs) => {
      const host = hosts[peer] ?? peer;
      return telemetry.calling(`${method} ${path.split("?")[0]}`, host, async (headers) => {
        const response = await fetch(`${files.addresses[peer]}${path}`, {
          ...{ method, headers, signal: AbortSignal.timeout(timeoutMs) },
        }).catch((thrown: Error) => {
          const isLate = thrown.name === "TimeoutError";
          const why = isLate ? `timeout: no answer within ${timeoutMs} ms` : thrown.message;
          throw new Error(`${host}: ${why}`);
        });
        const body: unknown = await response.json().catch(() => null);
        if (!response.ok) throw new Error(`${host} answered ${response.status}`);
        return body;
      });
    },
    log: telemetry.log,
  };
  burnAsTold(files);
  const server = createServer(
    (request, response) => void answer(routes, shop, telemetry, request, response),
  );
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ service, url: `http://127.0.0.1:${port}` })}\n`);
  });
  process.once("SIGTERM", () => {
    server.close();
    server.closeAllConnections();
    void Promise.race([telemetry.close(), sleep(1_000)]).then(() => process.exit(0));
  });
}

async function answer(
  routes: Routes,
  shop: Surroundings,
  telemetry: ShopTelemetry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const operation = `${request.method} ${path}`;
  const route = routes[operation];
  const send = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  if (route === undefined) return send(404, { error: `there is no ${operation}` });
  try {
    send(
      200,
      await telemetry.serving(operation, request.headers, () =>
        logged(shop, operation, () => route(shop, query)),
      ),
    );
  } catch (thrown) {
    send(500, { error: String((thrown as Error).message) });
  }
}

async function logged<T>(
  shop: Surroundings,
  operation: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    shop.log("error", `${operation} failed: ${(thrown as Error).message}`);
    throw thrown;
  }
}

/** Eats processor time in bites that a customer feels, as a tight loop in one of many requests would. */
function burnAsTold(files: Files): void {
  const biteMs = 300;
  setInterval(() => {
    const until = performance.now() + biteMs * (files.machine.burn ?? 0);
    while (performance.now() < until);
  }, biteMs).unref();
}
