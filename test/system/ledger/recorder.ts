/** A process that records until it is killed: prints `ready`, then one line `<index> <revision>` per acknowledged entry. */
import { writeSync } from "node:fs";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { openSigner } from "../../../src/adapters/keys/index.ts";
import { openLedger } from "../../../src/ledger/index.ts";
import { policyEntry } from "../../unit/ledger/entries.ts";

const [folder = "", run = ""] = process.argv.slice(2);
const signer = await openSigner(`${folder}/key.pem`, "gateway.example/log");
if (!signer.ok) throw new Error(signer.error.detail);
const opened = await openLedger({
  disk: openDisk(`${folder}/log`),
  signer: signer.value,
  clock: systemClock,
  tenant: "t",
  origin: { instance: "i-1", site: "standalone", epoch: 0 },
  holdfastVersion: "0.1.0",
  limits: { publishIntervalMs: 20, segmentBytesMax: 50_000 },
});
if (!opened.ok) throw new Error(opened.error.detail);
writeSync(1, "ready\n");
const ledger = opened.value;

async function caller(name: string): Promise<void> {
  for (let i = 0; ; i++) {
    const revision = `${run}-${name}-${i}`;
    const appended = await ledger.append(policyEntry(revision, 200));
    if (!appended.ok) throw new Error(appended.error.detail);
    writeSync(1, `${appended.value.index} ${revision}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, i) => caller(`c${i}`)));
