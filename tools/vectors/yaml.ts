/** YAML: what the reader of policies refuses, and the value it gives to the rest (yaml-test-suite). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { canonicalJson, type JsonValue } from "../../src/kernel/index.ts";
import { parseSource, sourceValue } from "../../src/policy/index.ts";
import { type Case, declined, failed, passed, refused, type VectorSet } from "./case.ts";

interface Item {
  readonly yaml: string;
  readonly fail?: boolean;
  readonly json?: string;
  readonly tree?: string;
}

export const yamlTestSuite: VectorSet = {
  name: "yaml-test-suite",
  path: "yaml-test-suite",
  source: "the `src` files of github.com/yaml/yaml-test-suite",
  run: (path) =>
    readdirSync(path)
      .filter((file) => file.endsWith(".yaml"))
      .sort()
      .flatMap((file) =>
        fileCases(file.replace(/\.yaml$/, ""), readFileSync(join(path, file), "utf8")),
      ),
};

/** A file holds one case or several; a later one that names no tree has the result of the one before. */
function fileCases(name: string, text: string): Case[] {
  const items = parse(text) as readonly Item[];
  let json: string | undefined;
  return items.map((item, i) => {
    json = item.json ?? (item.tree === undefined ? json : undefined);
    const id = items.length === 1 ? name : `${name}/${i}`;
    return judge(id, unescaped(item.yaml), item.fail === true, json);
  });
}

/** The suite shows white space with signs of its own. */
function unescaped(yaml: string): string {
  return yaml
    .replaceAll("␣", " ")
    .replace(/—*»/g, "\t")
    .replaceAll("⇔", "\uFEFF")
    .replaceAll("↵", "")
    .replaceAll("←", "\r")
    .replace(/∎\n$/, "");
}

function judge(id: string, text: string, invalid: boolean, json: string | undefined): Case {
  const { root, diagnostics } = parseSource(`${id}.yaml`, text);
  const [problem] = diagnostics;
  if (invalid)
    return problem === undefined ? failed(id, "is invalid and was accepted") : refused(id);
  if (problem !== undefined) return declined(id, wordFor(problem.message));
  if (json === undefined) return declined(id, "no_expected_value");
  const expected = json.trim() === "" ? null : (JSON.parse(json) as JsonValue);
  const value = root === undefined ? null : (sourceValue(root, () => undefined) ?? null);
  return canonicalJson(value) === canonicalJson(expected)
    ? passed(id)
    : failed(id, `reads as ${canonicalJson(value)}`);
}

/** What the reader says of the parts of YAML that it leaves out on purpose. */
const words: readonly (readonly [RegExp, string])[] = [
  [/anchor/i, "anchor"],
  [/\btag\b/, "tag"],
  [/one document/, "documents"],
  [/key must be a string/, "key"],
  [/directive/, "directive"],
];

function wordFor(message: string): string {
  return words.find(([pattern]) => pattern.test(message))?.[1] ?? message;
}
