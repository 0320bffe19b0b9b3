/**
 * Holds a real gateway under mixed load and says whether anything grows: memory, open files, timers.
 *
 *   npm run soak -- [--minutes 60] [--rate 100] [--json] [--out <file>]
 *
 * Exit code 1 when something grows, answers were not as expected, or a call that ended still counts as under way. `--rate`
 * is requests a second.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../src/sim/index.ts";
import type { Listening } from "../test/fixtures/processes.ts";
import { Site } from "../test/fixtures/site.ts";
import { agentToken } from "../test/fixtures/tokens.ts";
import { endOnSignal, figure, machineFacts } from "./machine.ts";
import { writeReport } from "./report.ts";
import { oneStep, requestsPerStep, Target } from "./soak-load.ts";
import { type GatewaySample, type Tolerance, type Trend, trendOf } from "./soak-verdict.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "100" },
    json: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const minutes = Number(values.minutes);
const rate = Number(values.rate);
const samplesWanted = 60;
const openMax = 256;
const wrongShareMax = 0.001;
const settleMs = 2_000;

const config = (url: string): string => `
listen: 127.0.0.1:0
control: { listen: 127.0.0.1:0 }
data: ./data
policies: ./policies
upstreams:
  # Its failures are part of the load, so no breaker spares the gateway the next.
  api: { http: { base_url: "${url}" }, breaker: { failures_in_row: 1000000, calls_min: 1000000 } }
  both: { mcp: { url: "${url}/mcp" } }
  older: { mcp: { url: "${url}/older" } }
  stateless: { mcp: { url: "${url}/stateless" } }
authzen: { enforcement_points: [{ agent: tester }] }
development_tokens:
  - { token: ${agentToken}, agent: tester }
`;
const policies = `
policy: soak
rules:
  - { id: charge, match: { tools: "api:POST /charge" }, when: args.body.amount < 1000000, outcome: allow }
  - { id: reads, match: { tools: "api:GET *" }, outcome: allow }
  - id: card
    match: { tools: "api:POST /card" }
    outcome: sanitize
    obligations: [{ redact: args.body.card_number, with: mask, keep: 4 }]
  - { id: wipe, match: { tools: "api:POST /wipe" }, outcome: deny, reason: nobody wipes }
  - { id: text, match: { tools: ["*:test_simple_text", "*:test_error_handling"] }, outcome: allow }
`;

interface Sample extends GatewaySample {
  readonly minutes: number;
  readonly requests: number;
}

interface Judged {
  readonly what: string;
  readonly unit: string;
  readonly of: (sample: GatewaySample) => number;
  readonly tolerance: Tolerance;
}

const mib = 2 ** 20;
const judged: readonly Judged[] = [
  {
    ...{ what: "resident memory", unit: "MiB", tolerance: { share: 0.08, absolute: 8 } },
    of: ({ rssBytes }) => rssBytes / mib,
  },
  {
    ...{ what: "heap after collection", unit: "MiB", tolerance: { share: 0.04, absolute: 1 } },
    of: ({ heapUsedBytes }) => heapUsedBytes / mib,
  },
  {
    ...{ what: "buffers", unit: "MiB", tolerance: { share: 0.08, absolute: 2 } },
    of: ({ externalBytes }) => externalBytes / mib,
  },
  {
    ...{ what: "open files", unit: "", tolerance: { share: 0.1, absolute: 10 } },
    of: ({ fds }) => fds,
  },
  {
    ...{ what: "timers, sockets, requests", unit: "", tolerance: { share: 0.15, absolute: 20 } },
    of: ({ handles }) => handles,
  },
];

/** The load until `untilMs`, at the wanted rate whatever the answers take; steps that find no room are let go. */
class Load {
  readonly wrong = new Map<string, { count: number; readonly first: string }>();
  requests = 0;
  steps = 0;
  passedOver = 0;
  turnedAway = 0;
  /** What the gateway still counts as under way a while after the last answer. */
  leftInFlight = 0;
  #open = 0;

  async run(target: Target, untilMs: number): Promise<void> {
    const start = performance.now();
    const perMs = rate / requestsPerStep / 1_000;
    for (let now = start; now < untilMs; now = performance.now()) {
      for (let due = (now - start) * perMs - this.steps - this.passedOver; due >= 1; due--)
        if (this.#open < openMax) this.#step(target);
        else this.passedOver += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    while (this.#open > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #step(target: Target): void {
    this.steps += 1;
    this.#open += 1;
    void oneStep(target).then(({ name, requests, turnedAway, wrong }) => {
      this.#open -= 1;
      this.requests += requests;
      if (turnedAway === true) this.turnedAway += 1;
      if (wrong === undefined) return;
      const known = this.wrong.get(name) ?? { count: 0, first: wrong.slice(0, 200) };
      known.count += 1;
      this.wrong.set(name, known);
    });
  }

  get wrongCount(): number {
    return [...this.wrong.values()].reduce((sum, { count }) => sum + count, 0);
  }
}

/** Asks the probe inside the gateway; waits until its line is there. */
async function sampled(gateway: Listening, path: string, known: number): Promise<GatewaySample> {
  process.kill(gateway.pid, "SIGUSR2");
  for (let tries = 0; tries < 600; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const lines = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
    if (lines.length > known) return JSON.parse(lines.at(-1) ?? "") as GatewaySample;
  }
  throw new Error("the gateway gave no sample for 30 s");
}

async function inFlight({ url }: Listening): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^holdfast_calls_in_flight (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}

async function soak(folder: string): Promise<{ samples: readonly Sample[]; load: Load }> {
  const script = fileURLToPath(new URL("soak-upstream.ts", import.meta.url));
  const probe = new URL("soak-probe.ts", import.meta.url).href;
  const samplesPath = join(folder, "samples");
  const site = await Site.prepare(folder, script, { config, policies });
  const gateway = await site.gateway({
    nodeArgs: ["--expose-gc", "--import", probe],
    env: { SOAK_SAMPLES: samplesPath },
  });
  const target = new Target(gateway.url, new Random(1));
  const samples: Sample[] = [];
  const load = new Load();
  try {
    const start = performance.now();
    const end = start + minutes * 60_000;
    const running = load.run(target, end);
    for (let i = 1; i <= samplesWanted; i++) {
      const at = start + (i / samplesWanted) * minutes * 60_000 - 500;
      await new Promise((resolve) => setTimeout(resolve, at - performance.now()));
      const sample = await sampled(gateway, samplesPath, samples.length);
      const elapsed = (performance.now() - start) / 60_000;
      samples.push({ ...sample, minutes: elapsed, requests: load.requests });
      process.stderr.write(`${row(samples.at(-1))}\n`);
    }
    await running;
    load.leftInFlight = await inFlight(gateway);
  } finally {
    await target.close();
    gateway.kill("SIGTERM");
    await gateway.exited;
    await site.end();
  }
  return { samples, load };
}

function row(sample: Sample | undefined): string {
  if (sample === undefined) return "";
  const cells = [sample.minutes, sample.requests, ...judged.map(({ of }) => of(sample))];
  return `| ${[...cells, sample.lagP99Ms].map(figure).join(" | ")} |`;
}

interface Verdict extends Trend {
  readonly what: string;
  readonly unit: string;
}

function table(samples: readonly Sample[], verdicts: readonly Verdict[], load: Load): string {
  const heads = ["minute", "requests", ...judged.map(({ what, unit }) => `${what} ${unit}`.trim())];
  const every = Math.ceil(samples.length / 13);
  const shown = samples.filter((_, i) => i % every === every - 1 || i === 0);
  const unexpected = [...load.wrong].map(
    ([name, { count, first }]) => `${name} ${count} (${first})`,
  );
  return [
    ...Object.entries(machineFacts()).map(([name, value]) => `${name}: ${value}  `),
    `asked for: ${minutes} minutes at ${rate} requests/s`,
    "",
    `| ${[...heads, "loop lag p99 ms"].join(" | ")} |`,
    `|${"--:|".repeat(heads.length + 1)}`,
    ...shown.map(row),
    "",
    "| over the last two thirds | per hour | grew by | allowed | verdict |",
    "|---|--:|--:|--:|---|",
    ...verdicts.map(
      ({ what, unit, perHour, grewBy, allowed, grows }) =>
        `| ${what} | ${figure(perHour)} ${unit} | ${figure(grewBy)} | ${figure(allowed)} | ${grows ? "grows" : "flat"} |`,
    ),
    "",
    `${load.requests} requests, ${load.turnedAway} turned away because too many were under way, ${load.wrongCount} not as expected${unexpected.length === 0 ? "" : `: ${unexpected.join("; ")}`}; ` +
      `${load.passedOver} not begun because ${openMax} were open. Calls under way at the end: ${load.leftInFlight}.`,
    "",
  ].join("\n");
}

endOnSignal();
const folder = await mkdtemp(join(tmpdir(), "holdfast-soak-"));
try {
  const { samples, load } = await soak(folder);
  const verdicts = judged.map(({ what, unit, of, tolerance }) => ({
    ...{ what, unit },
    ...trendOf(
      samples.map((sample) => ({ minutes: sample.minutes, value: of(sample) })),
      tolerance,
    ),
  }));
  const { requests, turnedAway, leftInFlight } = load;
  const wrong = [...load.wrong];
  const json = {
    machine: machineFacts(),
    samples,
    verdicts,
    requests,
    turnedAway,
    wrong,
    leftInFlight,
  };
  const text = values.json ? `${JSON.stringify(json, null, 2)}\n` : table(samples, verdicts, load);
  process.stdout.write(text);
  if (values.out !== undefined) writeReport(values.out, "soak", text);
  const asExpected = load.wrongCount <= load.steps * wrongShareMax && load.leftInFlight === 0;
  process.exitCode = verdicts.some(({ grows }) => grows) || !asExpected ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
