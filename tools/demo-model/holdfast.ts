/** The `holdfast` command, as a person would run it, with a store of its own. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { WhyAnswer } from "../../src/model/index.ts";

const program = resolve(import.meta.dirname, "../../bin/holdfast.mjs");
const config = `
data: ./data
upstreams:
  shop: { http: { base_url: "http://127.0.0.1:9", routes: [{ method: GET, path: / }] } }
identity: { audience: "http://127.0.0.1" }
`;

/** Minutes, which are usual, are too long for a demonstration. */
const windowSeconds = "2";

export class Holdfast {
  readonly #config: string;

  constructor(folder: string) {
    this.#config = join(folder, "holdfast.yaml");
    writeFileSync(this.#config, config);
  }

  ingest(folder: string): void {
    this.#run(["model", "ingest", folder, "--window", windowSeconds], [0]);
  }

  /** The answer as JSON and in words. `lookback`: trouble began at most so many seconds before. */
  why(symptom: string, atMs: number, lookback: number): { answer: WhyAnswer; text: string } {
    const words = ["why", ...symptom.split(" "), "--at", new Date(atMs).toISOString()];
    const asked = [...words, "--lookback", `${lookback}s`];
    return {
      answer: JSON.parse(this.#run([...asked, "--json"], [0, 1])) as WhyAnswer,
      text: this.#run(asked, [0, 1]),
    };
  }

  impact(target: string, change: string): { value: number; low: number; high: number } | null {
    const told = JSON.parse(this.#run(["impact", target, "--change", change, "--json"], [0]));
    return (told as { felt: { value: number; low: number; high: number } | null }).felt;
  }

  calibration(windowSeconds: number): unknown {
    const window = String(windowSeconds);
    return JSON.parse(this.#run(["model", "calibration", "--window", window, "--json"], [0]));
  }

  #run(words: readonly string[], codes: readonly number[]): string {
    const args = [program, ...words, "--config", this.#config];
    const how = { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
    const run = spawnSync(process.execPath, args, how);
    if (codes.includes(run.status ?? -1)) return run.stdout;
    throw new Error(`holdfast ${words.join(" ")} ended with ${run.status}: ${run.stderr}`);
  }
}
