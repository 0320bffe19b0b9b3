/** What can be read need not be durable: a restart must not remove the journal on the strength of a name alone. */
import { expect, test } from "vitest";
import { noteVerifier, verifyLog } from "../../../src/audit/index.ts";
import { type Ledger, openLedger } from "../../../src/ledger/index.ts";
import { Random, SimClock, SimDisk, simSigner } from "../../../src/sim/index.ts";

const origin = { instance: "gateway", site: "standalone", epoch: 0 };

test("a checkpoint renamed and not synced, a restart, a power loss: no entry is lost", async () => {
  const signer = simSigner("log.example", new Random(1));
  for (let seed = 1; seed <= 20; seed++) {
    const clock = new SimClock();
    let failing = false;
    const disk = new SimDisk(new Random(seed), clock, (operation, path) =>
      failing && operation === "sync" && path === "checkpoint" ? "lost" : undefined,
    );
    const open = (): Promise<Ledger> => clock.run(opened(disk, clock, signer));
    const ledger = await open();
    failing = true;
    // The rename of the new checkpoint is seen, its folder is not synced: the ledger stops.
    await clock.advance(5_000);
    expect(ledger.healthy()).toBe(false);
    failing = false;
    disk.killProcesses();
    const { size } = (await open()).head();
    disk.crash();
    const report = await verifyLog({
      files: disk.inspect(),
      verifier: noteVerifier(signer.name, signer.publicKey),
    });
    expect(
      report.findings.filter(({ severity }) => severity !== "note"),
      `seed ${seed}`,
    ).toEqual([]);
    expect(report.size).toBe(size);
  }
});

async function opened(
  disk: SimDisk,
  clock: SimClock,
  signer: ReturnType<typeof simSigner>,
): Promise<Ledger> {
  const ledger = await openLedger({
    disk: disk.mount(),
    signer,
    clock,
    tenant: "test",
    origin,
    holdfastVersion: "test",
  });
  if (!ledger.ok) throw new Error(ledger.error.detail);
  return ledger.value;
}
