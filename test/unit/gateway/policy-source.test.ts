/** Which bundle decides: the newest good one, and after a restart that finds it bad, the last good one. */
import { expect, test } from "vitest";
import { ActivePolicy, PolicySource, type VerifiedBundle } from "../../../src/gateway/index.ts";
import { err, ok, type Result } from "../../../src/kernel/index.ts";
import type { Ledger } from "../../../src/ledger/index.ts";
import type { Disk, DiskError } from "../../../src/ports.ts";
import { recordingLog, recordingTelemetry, SimClock } from "../../../src/sim/index.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Files in memory; only what a policy source uses. */
function memoryDisk(): { readonly files: Map<string, Uint8Array>; readonly disk: Disk } {
  const files = new Map<string, Uint8Array>();
  const missing = (path: string): Result<never, DiskError> =>
    err({ kind: "not_found", code: "ENOENT", path });
  const disk = {
    read: async (path: string) => {
      const bytes = files.get(path);
      return bytes === undefined ? missing(path) : ok(bytes);
    },
    replace: async (path: string, bytes: Uint8Array) => {
      files.set(path, bytes);
      return ok(undefined);
    },
  };
  return { files, disk: disk as unknown as Disk };
}

/** A bundle is the text `good:<revision>`; everything else was changed by somebody. */
async function open(archive: Uint8Array): Promise<Result<VerifiedBundle, string>> {
  const [word, revision = ""] = decoder.decode(archive).split(":");
  if (word !== "good") return err("the signature does not fit");
  const set = { formatVersion: 1, rules: [], tools: [], limits: [] } as const;
  return ok({ revision, set, digest: `sha256:${revision}` });
}

function source(disk: Disk): { readonly policy: ActivePolicy; readonly source: PolicySource } {
  const policy = new ActivePolicy();
  const appended: unknown[] = [];
  const ledger = {
    append: async (entry: unknown) => ok({ index: appended.push(entry) - 1, treeSize: 1 }),
  } as unknown as Ledger;
  return {
    policy,
    source: new PolicySource({
      ...{ disk, policy, ledger, open, clock: new SimClock(), tenant: "t", pollMs: 10 },
      ...{ log: recordingLog(), telemetry: recordingTelemetry() },
      origin: { instance: "i", site: "standalone", epoch: 0 },
      path: "current",
      lastGoodPath: "last-good",
    }),
  };
}

test("a changed bundle never decides, and a restart falls back on the last good one", async () => {
  const { files, disk } = memoryDisk();
  files.set("current", encoder.encode("good:r1"));
  const before = source(disk);
  expect(await before.source.refresh()).toBe("activated");
  files.set("current", encoder.encode("changed"));
  expect(await before.source.refresh()).toBe("refused");
  expect(before.policy.current()?.revision).toBe("r1");

  const after = source(disk);
  expect(await after.source.refresh()).toBe("refused");
  expect(after.policy.current()?.revision).toBe("r1");
  expect(after.source.lastError).toMatch(/signature/);

  files.set("current", encoder.encode("good:r2"));
  expect(await after.source.refresh()).toBe("activated");
  expect(after.policy.current()?.revision).toBe("r2");
});

test("a last good copy that was changed does not decide either", async () => {
  const { files, disk } = memoryDisk();
  files.set("last-good", encoder.encode("changed"));
  const { policy, source: started } = source(disk);
  expect(await started.refresh()).toBe("absent");
  expect(policy.current()).toBeUndefined();
  expect(started.lastError).toMatch(/no bundle/);
});
