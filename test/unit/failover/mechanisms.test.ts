/** AG-403 4.6: whoever begins a failover for us calls it by a name that the record knows; so its test has a case for it. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mechanisms } from "../../../src/failover/index.ts";

const said = [
  /--(?:mechanism|begin) ([a-z][a-z-]*)/g,
  /"mechanism": ?"([^"]+)"/g,
  /\bstartOf\([\w.#, ]*"([^"]+)"/g,
];

test("AG-403 4.6: the guard, the drills, the hooks and the documents use no other name", () => {
  const files = ["docs/failover/*.md", "drills/*.json", "examples/**/*.{yaml,yml,sh,md}"];
  const found = globSync([...files, "src/{adapters,control,cli}/**/*.ts"]).flatMap((path) => {
    const text = readFileSync(path, "utf8");
    return said.flatMap((form) => [...text.matchAll(form)].map(([, name = ""]) => name));
  });
  expect(Object.keys(mechanisms)).toEqual(expect.arrayContaining([...new Set(found)]));
  // Those that nobody has to ask for, Patroni's and the drills' at least.
  expect(found).toEqual(expect.arrayContaining(["start", "recovery", "lease", "patroni", "drill"]));
});
