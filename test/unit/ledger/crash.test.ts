/** Power loss at any moment, from seeds: nothing acknowledged is lost, the log verifies, the same seed is the same log. */
import { expect, test } from "vitest";
import { ok } from "../../../src/kernel/index.ts";
import type { Disk } from "../../../src/ports.ts";
import { expectNothingLost, livesAndCrashes } from "./crashes.ts";

const seeds = 60;

test(`${seeds} seeds of crashes: no acknowledged entry is lost and the log verifies`, () =>
  expectNothingLost(seeds));

test("the same seed gives the same root", async () => {
  for (const seed of [1, 7, 42]) {
    const roots = [await livesAndCrashes(seed), await livesAndCrashes(seed)].map(({ report }) =>
      Buffer.from(report.rootHash).toString("hex"),
    );
    expect(roots[0]).toBe(roots[1]);
  }
});

test("an acknowledgement before the sync is found within 50 seeds", async () => {
  const lying = (disk: Disk): Disk => ({
    ...disk,
    openAppend: async (path, keepBytes) => {
      const file = await disk.openAppend(path, keepBytes);
      if (!file.ok) return file;
      const { value } = file;
      return ok({
        get sizeBytes() {
          return value.sizeBytes;
        },
        append: (bytes: Uint8Array) => value.append(bytes),
        sync: async () => ok(undefined),
        close: () => value.close(),
      });
    },
  });
  let found = false;
  for (let seed = 1; seed <= 50 && !found; seed++)
    found = await livesAndCrashes(seed, lying).then(
      ({ report }) => report.lost.length > 0 || !report.ok,
      () => true,
    );
  expect(found).toBe(true);
});
