/** `house` guards the code itself; `unit` is everyday; `system` needs servers, real processes, or minutes. */
import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], timeoutMs: number) => ({
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    projects: [
      project("house", ["test/house/**/*.test.ts"], 30_000),
      project("unit", ["test/unit/**/*.test.ts", "test/contracts/**/*.test.ts"], 30_000),
      project("system", ["test/system/**/*.test.ts"], 600_000),
    ],
    reporters: ["default"],
    maxWorkers: 2,
  },
});
