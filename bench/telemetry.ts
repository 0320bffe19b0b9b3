/** What telemetry costs a call: none, metrics alone, and spans and metrics over OTLP to a collector in another process. */
import { fileURLToPath } from "node:url";
import { openTelemetry } from "../src/adapters/telemetry/index.ts";
import type { Spine } from "../src/gateway/index.ts";
import type { Ledger } from "../src/ledger/index.ts";
import type { Telemetry } from "../src/ports.ts";
import { start } from "../test/fixtures/processes.ts";
import { arrived, noTelemetry, request, spineOf } from "./durable.ts";
import { type Measured, measured } from "./measure.ts";

/** In bursts at a rate that the exporter keeps up with; faster, it would drop spans and look cheap. */
const burst = 50;
const bursts = 40;
const pauseMs = 25;

export async function benchTelemetry(trials: number): Promise<readonly Measured[]> {
  const collector = await start({
    args: [fileURLToPath(new URL("upstream.ts", import.meta.url))],
  });
  const settings = {
    serviceName: "bench",
    serviceVersion: "0",
    instance: "bench",
    servers: ["pay"],
  };
  const metrics = openTelemetry(settings);
  const otlp = openTelemetry({ ...settings, otlpEndpoint: collector.url });
  const modes: readonly (readonly [string, Telemetry])[] = [
    ["off", noTelemetry],
    ["metrics", metrics],
    ["metrics and OTLP", otlp],
  ];
  const subjects = modes.map(([name, telemetry]) => ({
    name,
    spine: spineOf(instantLedger(), telemetry),
    cpuUs: [] as number[],
  }));
  for (const { spine } of subjects) await cpuOf(spine);
  for (let trial = 0; trial < trials; trial++)
    for (const { spine, cpuUs } of subjects) cpuUs.push(await cpuOf(spine));
  await metrics.close();
  await otlp.close();
  collector.kill();
  await collector.exited;
  const rows: Measured[] = [];
  for (const { name, cpuUs } of subjects)
    rows.push(measured(`CPU of a call in the spine, telemetry ${name}`, "µs", cpuUs, rows[0]));
  return rows;
}

/** µs of this process for each call. */
async function cpuOf(spine: Spine): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < bursts; i++) {
    for (let call = 0; call < burst; call++) await spine.govern(request, async () => arrived);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (burst * bursts);
}

/** Says that everything is durable at once: what is measured here is not the disk. */
function instantLedger(): Ledger {
  const head = { size: 0, rootHash: new Uint8Array(), checkpoint: "" };
  let index = 0;
  return {
    append: async () => {
      index += 1;
      return { ok: true, value: { index, treeSize: index } };
    },
    receipt: () => "receipt",
    head: () => head,
    bundleSerial: 0,
    healthy: () => true,
    close: async () => undefined,
  };
}
