/** What README and the pages of `docs/` show as code: fenced blocks, and commands inside the text. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../product/harness.ts";

export interface Block {
  /** `README.md:8` */
  readonly at: string;
  readonly language: string;
  readonly text: string;
}

export interface Inline {
  readonly at: string;
  readonly text: string;
}

export interface Page {
  readonly path: string;
  readonly blocks: readonly Block[];
  readonly inline: readonly Inline[];
}

const fence = /^```(\S*)\s*$/;
const span = /`([^`\n]+)`/g;
const command = /^(?:holdfast|npm|npx|node)\s/;

export function pages(): readonly Page[] {
  const ours = { cwd: root, exclude: (path: string) => path.includes("node_modules") };
  const paths = ["README.md", ...globSync("{docs,examples}/**/*.md", ours).sort()];
  return paths.map((path) => pageOf(path, readFileSync(join(root, path), "utf8")));
}

export function pageOf(path: string, text: string): Page {
  const blocks: Block[] = [];
  const inline: Inline[] = [];
  let open: Block | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    const at = `${path}:${i + 1}`;
    const mark = fence.exec(line);
    if (mark !== null) {
      if (open !== undefined) blocks.push({ ...open, text: open.text.trimEnd() });
      open = open === undefined ? { at, language: mark[1] ?? "", text: "" } : undefined;
    } else if (open !== undefined) open = { ...open, text: `${open.text}${line}\n` };
    else inline.push(...commandsIn(line).map((words) => ({ at, text: words })));
  }
  if (open !== undefined) throw new Error(`${open.at}: this block does not end`);
  return { path, blocks, inline };
}

function commandsIn(line: string): readonly string[] {
  return [...line.matchAll(span)]
    .map(([, words = ""]) => words)
    .filter((words) => command.test(words));
}

/** The commands of a shell block: one a line, or between `&&`, without comments. */
export function commandsOf({ at, text }: Block): readonly Inline[] {
  const [path = "", first = "0"] = at.split(":");
  return text.split("\n").flatMap((line, i) =>
    line
      .split(" && ")
      .map((each) => each.replace(/\s#.*$/, "").trim())
      .filter((each) => each !== "")
      .map((each) => ({ at: `${path}:${Number(first) + 1 + i}`, text: each })),
  );
}
