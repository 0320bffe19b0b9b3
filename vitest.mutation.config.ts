/** One room's own unit tests, for the mutation runs of `tools/mutation.ts`. */
import { defineConfig } from "vitest/config";

const room = process.env["MUTATED_ROOM"] ?? "*";

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    include: [`test/unit/${room}/**/*.test.ts`],
    setupFiles: ["test/fixtures/fixed-seed.ts"],
    // Bombs prove an end in time, at a size that thousands of runs cannot afford.
    exclude: ["**/bombs.test.ts"],
    // Rooms are pure and keep nothing between test files; loading them anew for each file would be most of the time.
    isolate: false,
    // Properties run once for nearly every mutant: a tenth of their everyday runs each time.
    provide: { effort: 0.1 },
    testTimeout: 300_000,
  },
});
