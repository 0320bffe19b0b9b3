/** The `holdfast` command, as a person would run it, with a store of its own. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Share, WhyAnswer } from "../../src/model/index.ts";

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

  async ingest(folder: string): Promise<void> {
    await this.#run(["model", "ingest", folder, "--window", windowSeconds], [0]);
  }

  /** The answer as JSON and in words. `lookback`: trouble began at most so many seconds before. */
  async why(symptom: string, atMs: number, lookback: number): Promise<WhyAnswer> {
    const words = [
      "why",
      ...symptom.split(" "),
      "--at",
      new Date(atMs).toISOString(),
      "--known-at",
      "now",
    ];
    const asked = [...words, "--lookback", `${lookback}s`, "--json"];
    return JSON.parse(await this.#run(asked, [0, 1]), toMoment) as WhyAnswer;
  }

  async impact(target: string, change: string): Promise<Share | null> {
    const told = await this.#run(["impact", target, "--change", change, "--json"], [0]);
    return (JSON.parse(told) as { felt: Share | null }).felt;
  }

  async calibration(windowSeconds: number): Promise<unknown> {
    const words = ["model", "calibration", "--window", String(windowSeconds), "--json"];
    return JSON.parse(await this.#run(words, [0]));
  }

  /** Customers go on meanwhile. */
  #run(words: readonly string[], codes: readonly number[]): Promise<string> {
    const args = [program, ...words, "--config", this.#config];
    const how = { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
    return new Promise((resolve, reject) => {
      const child = execFile(process.execPath, args, how, (_, stdout, stderr) => {
        const code = child.exitCode ?? -1;
        if (codes.includes(code)) resolve(stdout);
        else reject(new Error(`holdfast ${words.join(" ")} ended with ${code}: ${stderr}`));
      });
    });
  }
}

/** The engine's own words have milliseconds where the command prints text. */
function toMoment(name: string, value: unknown): unknown {
  return typeof value === "string" && /^(?:onset|newestTelemetry)At$/.test(name)
    ? Date.parse(value)
    : value;
}
