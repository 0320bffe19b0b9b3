/** What imports what in `src/`, read from the files themselves. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export interface Import {
  /** Path of the importing file. */
  readonly from: string;
  /** As it is written there. */
  readonly to: string;
}

const specifier = /(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g;

export const sourceFiles = (): readonly string[] => globSync("src/**/*.ts").map(normalize).sort();

export function importsOf(files: readonly string[]): readonly Import[] {
  return files.flatMap((from) =>
    [...readFileSync(from, "utf8").matchAll(specifier)].map((m) => ({ from, to: m[1] ?? "" })),
  );
}

/** The imports between files of the house, both ends as paths. */
export function edgesOf(imports: readonly Import[]): readonly Import[] {
  return imports
    .filter(({ to }) => to.startsWith("."))
    .map(({ from, to }) => ({ from, to: normalize(join(dirname(from), to)) }));
}

export const roomOf = (path: string): string => (path.split("/")[1] ?? "").replace(/\.ts$/, "");
