/** Whether a command that a page mentions exists, with its options; nothing is executed but `--help`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../product/harness.ts";
import type { Newcomer } from "./newcomer.ts";

const scripts = (): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;

/** The help of each command that was asked about. */
const helps = new Map<string, string>();

/** What is wrong with the command; undefined when it exists. */
export function complaint(command: string, newcomer: Newcomer): string | undefined {
  const [program, ...rest] = command.split(/\s+/);
  // Up to the first placeholder or option: `<folder>`, `[--key …]`, `FILE`, `--json`.
  const end = rest.findIndex((word) => /^[<[A-Z-]/.test(word));
  const words = end === -1 ? rest : rest.slice(0, end);
  if (program === "holdfast") return ofHoldfast(words, command, newcomer);
  if (program === "npm") {
    const script = words[0] === "run" ? words[1] : words[0];
    return script === "ci" || script === "install" || Object.hasOwn(scripts(), script ?? "")
      ? undefined
      : `package.json has no script ${script}`;
  }
  const file = program === "npx" ? `node_modules/.bin/${words[0]}` : (words[0] ?? "");
  return existsSync(join(root, file)) ? undefined : `there is no ${file}`;
}

function ofHoldfast(
  words: readonly string[],
  command: string,
  newcomer: Newcomer,
): string | undefined {
  const asked = `holdfast ${words.join(" ")} --help`;
  const stdout = helps.get(asked) ?? newcomer.run(asked).stdout;
  helps.set(asked, stdout);
  // Asked about a command it does not have, commander shows the help of the one above.
  if (!stdout.startsWith(`Usage: ${["holdfast", ...words].join(" ")} `))
    return `there is no command holdfast ${words.join(" ")}`;
  const unknown = [...command.matchAll(/(?<=[\s[])--[a-z][a-z-]*/g)]
    .map(([option]) => option)
    .filter((option) => !stdout.includes(`${option} `));
  return unknown.length === 0 ? undefined : `it has no ${unknown.join(", ")}`;
}
