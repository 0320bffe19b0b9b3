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

/** A bundle is the text `good:<revision>:<serial>`; everything else was changed by somebody. */
async function open(archive: Uint8Array): Promise<Result<VerifiedBundle, string>> {
  const [word, revision = "", serial = "1"] = decoder.decode(archive).split(":");
  if (word !== "good") return err("the signature does not fit");
  const set = { formatVersion: 3, rules: [], tools: [], limits: [] } as const;
  return ok({ revision, serial: Number(serial), set, digest: `sha256:${revision}` });
}

interface Opened {
  readonly policy: ActivePolicy;
  readonly source: PolicySource;
  readonly appended: unknown[];
}

/** `bundleSerial` is what an opened log remembers. */
function source(disk: Disk, bundleSerial = 0): Opened {
  const policy = new ActivePolicy();
  const appended: unknown[] = [];
  const ledger = {
    bundleSerial,
    append: async (entry: unknown) => ok({ index: appended.push(entry) - 1, treeSize: 1 }),
  } as unknown as Ledger;
  return {
    policy,
    appended,
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

  files.set("current", encoder.encode("good:r2:2"));
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

test("an older bundle never decides again, signed or not: neither while running nor after a restart", async () => {
  const { files, disk } = memoryDisk();
  const put = (text: string) => files.set("current", encoder.encode(text));
  const before = source(disk);
  put("good:r5:5");
  expect(await before.source.refresh()).toBe("activated");
  put("good:r4:4");
  expect(await before.source.refresh()).toBe("refused");
  expect(before.source.lastError).toContain("has the serial 4, the log has 5");
  put("good:other:5");
  expect(await before.source.refresh()).toBe("refused");
  expect(before.policy.current()?.revision).toBe("r5");

  put("good:r4:4");
  const after = source(disk, 5);
  expect(await after.source.refresh()).toBe("refused");
  expect(after.policy.current()?.revision).toBe("r5");
  files.set("last-good", encoder.encode("good:r3:3"));
  const rolledBack = source(disk, 5);
  expect(await rolledBack.source.refresh()).toBe("refused");
  expect(rolledBack.policy.current()).toBeUndefined();
  expect(rolledBack.source.lastError).toMatch(/serial 4, the log has 5.*last good.*serial 3/);
});

test("the way back: the old policy with a new serial", async () => {
  const { files, disk } = memoryDisk();
  const { policy, source: running, appended } = source(disk, 5);
  for (const text of ["good:old:6", "good:new:7", "good:old:8"]) {
    files.set("current", encoder.encode(text));
    expect(await running.refresh()).toBe("activated");
  }
  expect(policy.current()?.revision).toBe("old");
  expect(appended).toMatchObject([6, 7, 8].map((bundle_serial) => ({ bundle_serial })));
});

test("the same policy with a higher serial is recorded, so that the serial is remembered", async () => {
  const { files, disk } = memoryDisk();
  const { source: running, appended } = source(disk);
  files.set("current", encoder.encode("good:r1:1"));
  await running.refresh();
  files.set("current", encoder.encode("good:r1:2"));
  expect(await running.refresh()).toBe("activated");
  expect(running.serial).toBe(2);
  expect(appended).toHaveLength(2);
});

test("an offered bundle is stored only when it is good and not older", async () => {
  const { files, disk } = memoryDisk();
  const { policy, source: running } = source(disk);
  expect(await running.offer(encoder.encode("good:r2:2"))).toBe("activated");
  expect(await running.offer(encoder.encode("changed"))).toBe("refused");
  expect(await running.offer(encoder.encode("good:r1:1"))).toBe("refused");
  expect(await running.offer(encoder.encode("good:r2:2"))).toBe("unchanged");
  expect(decoder.decode(files.get("current"))).toBe("good:r2:2");
  expect(policy.current()?.revision).toBe("r2");
  expect(running.lastError).toBeUndefined();
});

test("why nothing decides is told alike however often it is looked at, also when both copies are the same", async () => {
  const { files, disk } = memoryDisk();
  files.set("current", encoder.encode("good:r1:1"));
  files.set("last-good", encoder.encode("good:r1:1"));
  const rolledBack = source(disk, 5).source;
  await rolledBack.refresh();
  const told = rolledBack.lastError;
  expect(told).toContain("the log has 5");
  for (let i = 0; i < 5; i++) await rolledBack.refresh();
  expect(rolledBack.lastError).toBe(told);
});
