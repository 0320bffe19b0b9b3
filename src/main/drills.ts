/** The drill engine on this machine: its folder holds its key, its log and its journals. */
import { join } from "node:path";
import { childProcessCommands } from "../adapters/child-process/index.ts";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { undiciTransport } from "../adapters/http/index.ts";
import { openSigner } from "../adapters/keys/index.ts";
import type { DrillEntry } from "../audit/index.ts";
import type { DrillsGiven, OpenedDrills } from "../cli/index.ts";
import type { DrillStep } from "../control/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { type Ledger, openLedger } from "../ledger/index.ts";
import { version } from "./version.ts";

export async function openDrills({
  folder,
  tenant,
  site,
  finds,
  tell,
}: DrillsGiven): Promise<Result<OpenedDrills, string>> {
  const signer = await openSigner(join(folder, "drills.pem"), `drills.${site}.holdfast`);
  if (!signer.ok) return err(`${signer.error.path}: ${signer.error.detail}`);
  const origin = { instance: `drills-${process.pid}`, site, epoch: 0 };
  const ledger = await openLedger({
    disk: openDisk(join(folder, "log")),
    ...{ signer: signer.value, clock: systemClock, tenant, origin },
    holdfastVersion: version,
  });
  if (!ledger.ok)
    return err(
      ledger.error.kind === "locked"
        ? `another drill is under way in ${folder}`
        : `the log of drills: ${ledger.error.detail}`,
    );
  const transport = undiciTransport({ addresses: "not_metadata" });
  const common = { v: 1, tenant, ...origin } as const;
  return ok({
    parts: {
      commands: childProcessCommands(),
      http: transport,
      clock: systemClock,
      entropy: systemEntropy,
      disk: openDisk(folder),
      signer: signer.value,
      finds,
      // No more of our environment: what a fault needs is in its experiment.
      environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
      about: { version, platform: process.platform, node: `node ${process.versions.node}` },
      tell,
      record: (step) => recorded(ledger.value, { ...common, kind: "drill", ...timed(step) }),
    },
    async close() {
      await ledger.value.close();
      await transport.close();
    },
  });
}

function timed(step: DrillStep): DrillStep & { readonly time: string } {
  return { ...step, time: new Date(systemClock.wallMs()).toISOString() };
}

async function recorded(ledger: Ledger, entry: DrillEntry): Promise<Result<number, string>> {
  const committed = await ledger.append(entry);
  return committed.ok
    ? ok(committed.value.index)
    : err(`${committed.error.kind}: ${committed.error.detail}`);
}
