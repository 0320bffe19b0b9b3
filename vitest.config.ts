/**
 * `house` guards the code itself; `unit` is everyday; `system` needs servers, real processes, or minutes; `long` takes
 * hours and is asked for by name; so is `failover`: real clusters that fail over, for the better part of an hour.
 */
import { defineConfig } from "vitest/config";

/** `effort` multiplies the runs of properties that ask for it. */
const project = (name: string, include: string[], timeoutMs: number, effort = 1) => ({
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs, provide: { effort } },
});

/** Properties of the everyday that are run at length too. */
const atLength = [
  "test/unit/policy/{properties,diagnostics,obligations}.test.ts",
  "test/unit/failover/guard-storm.test.ts",
];

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    projects: [
      project("house", ["test/house/**/*.test.ts"], 30_000),
      project("unit", ["test/unit/**/*.test.ts", "test/contracts/**/*.test.ts"], 120_000),
      project("system", ["test/system/**/*.test.ts", ...atLength], 600_000, 10),
      project("failover", ["test/failover/**/*.test.ts"], 1_800_000),
      project("kubernetes", ["test/kubernetes/**/*.test.ts"], 300_000),
      project("long", ["test/long/**/*.test.ts"], 24 * 3_600_000),
    ],
    reporters: ["default"],
    maxWorkers: 2,
  },
});
