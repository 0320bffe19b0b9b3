/** kill -9 at any moment of a real process on a real disk: nothing it acknowledged is lost, and the log verifies. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { parseVkey, verifyLog } from "../../../src/audit/index.ts";

const kills = 25;

/** Lives until killed `afterMs` after it is ready; what it had written to its standard output by then. */
function lifeOf(folder: string, run: number, afterMs: number): Promise<string> {
  const script = join(import.meta.dirname, "recorder.ts");
  const child = spawn(process.execPath, [script, folder, String(run)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      if (output === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
      output += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === null) resolve(output);
      else reject(new Error(`the recorder ended by itself with ${code}`));
    });
  });
}

test(`${kills} kills lose nothing that was acknowledged`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "kill-"));
  try {
    const acknowledged = new Map<number, string>();
    for (let run = 0; run < kills; run++) {
      const output = await lifeOf(folder, run, 5 + ((run * 37) % 120));
      // The last line may be cut; then its caller was told nothing.
      for (const line of output.split("\n").slice(1, -1)) {
        const [index = "", revision = ""] = line.split(" ");
        expect(acknowledged.has(Number(index)), `index ${index} was given twice`).toBe(false);
        acknowledged.set(Number(index), revision);
      }
    }
    const vkey = parseVkey(await readFile(join(folder, "log/log.vkey"), "utf8"));
    if (!vkey.ok) throw new Error(vkey.error);
    const found = new Map<number, string>();
    const report = await verifyLog({
      files: openDisk(join(folder, "log")),
      verifier: vkey.value,
      onEntry: (index, _leaf, entry) => {
        if (entry?.kind === "policy") found.set(index, entry.policy_version);
      },
    });
    expect(report.findings.filter(({ code }) => code !== "torn_tail")).toEqual([]);
    expect(report.counts["start"]).toBe(kills);
    expect(acknowledged.size).toBeGreaterThan(kills);
    const lost = [...acknowledged].filter(([index, revision]) => found.get(index) !== revision);
    expect(lost).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
