/** Properties of the code itself. Each ban names its replacement. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Ban {
  readonly pattern: RegExp;
  readonly use: string;
  readonly where: string;
  readonly except?: RegExp;
}

const bans: readonly Ban[] = [
  { pattern: /\bMath\.random\(/, use: "Entropy", where: "src/**/*.ts" },
  {
    pattern: /\bJSON\.parse\(/,
    use: "parseJsonStrict",
    where: "src/{gateway,control,policy,audit,identity}/**/*.ts",
  },
  {
    pattern: /\b(?:it|test|describe)\.(?:skip|todo|only)\b/,
    use: "a test that runs",
    where: "test/**/*.ts",
  },
  {
    pattern: /\b(?:FIXME|TODO|XXX)\b/,
    use: "a fix, before merging",
    where: "{src,tools,bench}/**/*.ts",
  },
  {
    pattern: /\/(?:[\w-]*-)?(?:manager|helper|helpers|util|utils|data|info|handler)s?\.ts$/,
    use: "the thing's own name",
    where: "src/**/*.ts",
  },
  {
    pattern: /(?<![#.\w])fetch\(/,
    use: "HttpTransport",
    where: "src/{gateway,control,adapters}/**/*.ts",
  },
  {
    pattern: /^(?:export )?let /m,
    use: "state inside what `main.ts` builds",
    where: "src/**/*.ts",
  },
];

const code = (path: string): string =>
  readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");

for (const { pattern, use, where } of bans) {
  test(`${where}: ${pattern.source} is banned, use ${use}`, () => {
    const byName = pattern.source.includes("\\.ts$");
    const offenders = globSync(where)
      .filter((file) => !file.includes("tidy.test"))
      .filter((file) => pattern.test(byName ? `/${file}` : code(file)));
    expect(offenders).toEqual([]);
  });
}

test("no file is over 400 lines", () => {
  const ours = { exclude: (path: string) => path.includes("node_modules") };
  const long = globSync("{src,test,tools,bench,examples}/**/*.{ts,mjs}", ours).filter(
    (file) => readFileSync(file, "utf8").split("\n").length > 401,
  );
  expect(long).toEqual([]);
});

test("no lock file names a download address", () => {
  const locks = ["package-lock.json", ...globSync("examples/agents/*/package-lock.json")];
  const naming = locks.filter((path) => readFileSync(path, "utf8").includes('"resolved":'));
  expect(naming).toEqual([]);
});
