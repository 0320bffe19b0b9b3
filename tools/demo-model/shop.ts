/** The example shop as processes: started, given its surroundings, changed, stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const programs = resolve(import.meta.dirname, "../../examples/shop");
const names = ["catalogue", "cart", "payment", "worker", "bank", "frontend"] as const;
type ServiceName = (typeof names)[number];

/** The versions that run before anything is changed. */
export const firstVersion = "1.7.3";
export const usualDefaults: {
  readonly catalogueTimeoutMs: number;
  readonly callTimeoutMs: number;
} = { catalogueTimeoutMs: 1_000, callTimeoutMs: 2_000 };
const startTimeoutMs = 20_000;

export class Shop {
  readonly #folder: string;
  readonly #collector: string;
  readonly #running = new Map<ServiceName, ChildProcess>();
  readonly #addresses: Record<string, string> = {};

  constructor(folder: string, collector: string) {
    this.#folder = folder;
    this.#collector = collector;
  }

  get frontend(): string {
    return this.#addresses["frontend"] ?? "";
  }

  async start(): Promise<void> {
    this.set("defaults.json", usualDefaults);
    this.set("flags.json", { "bundle-discounts": false });
    this.set("machines.json", {});
    this.set("bank.json", { down: false });
    await Promise.all(names.map((name) => this.#begin(name, firstVersion)));
  }

  /** A file of the surroundings, replaced whole. */
  set(file: string, value: object): void {
    writeFileSync(join(this.#folder, `${file}.new`), JSON.stringify(value));
    renameSync(join(this.#folder, `${file}.new`), join(this.#folder, file));
  }

  /** A rolling deploy: the new one answers before the old one goes. */
  async deploy(name: ServiceName, version: string): Promise<void> {
    const old = this.#running.get(name);
    await this.#begin(name, version);
    // Whoever has read the old address is still answered.
    await new Promise((wake) => setTimeout(wake, 500));
    old?.kill("SIGTERM");
  }

  async stop(): Promise<void> {
    const children = [...this.#running.values()];
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(
      children.map((child) => (child.exitCode === null ? once(child, "exit") : undefined)),
    );
  }

  async #begin(name: ServiceName, version: string): Promise<void> {
    const child = spawn(process.execPath, [join(programs, `${name}.ts`)], {
      env: {
        PATH: process.env["PATH"],
        SHOP_FOLDER: this.#folder,
        SHOP_COLLECTOR: this.#collector,
        SHOP_VERSION: version,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#running.set(name, child);
    this.#addresses[name] = await addressOf(child, name);
    this.set("addresses.json", this.#addresses);
  }
}

async function addressOf(child: ChildProcess, name: string): Promise<string> {
  const late = setTimeout(() => child.kill("SIGKILL"), startTimeoutMs);
  try {
    let said = "";
    for await (const text of child.stdout ?? []) {
      said += String(text);
      if (!said.includes("\n")) continue;
      // Nobody reads what it says later; it must not wait for that.
      child.stdout?.resume();
      return (JSON.parse(said.split("\n")[0] ?? "") as { url: string }).url;
    }
    throw new Error(`${name} ended before it listened: ${said}`);
  } finally {
    clearTimeout(late);
  }
}
