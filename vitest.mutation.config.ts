/** One room's own unit tests, for the mutation runs of `tools/mutation.ts`. */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Whole outputs notice most faults, and soon; a mutant that one test noticed needs no other. */
class ApprovedFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      moduleId.endsWith("/approved.test.ts") ? 0 : 1;
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

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
    sequence: { sequencer: ApprovedFirst },
    // Properties run once for nearly every mutant: a tenth of their everyday runs each time.
    provide: { effort: 0.1 },
    testTimeout: 300_000,
  },
});
