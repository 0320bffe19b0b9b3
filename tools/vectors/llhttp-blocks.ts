/** The test files of llhttp: Markdown with the bytes that are sent and the log of what the parser made of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface LlhttpBlock {
  readonly id: string;
  readonly bytes: Buffer;
  /** Parsed with checks off, which llhttp offers and Holdfast never asks for. */
  readonly lenient: boolean;
  /** The parser stopped here, for a reason other than a pause or a change of protocol. */
  readonly error: boolean;
  /** Where messages begin in `bytes`. */
  readonly begins: readonly number[];
  /** Whole messages before the end or the error. */
  readonly complete: number;
  /** Of each whole message, in order. */
  readonly bodies: readonly string[];
}

/** Every block of the files of one folder. */
export function llhttpBlocks(folder: string): readonly LlhttpBlock[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .sort()
    .flatMap((file) =>
      fileBlocks(file.replace(/\.md$/, ""), readFileSync(join(folder, file), "utf8")),
    );
}

/** What of a line is a title, the mark of a case, or the fence of a block. */
const linePattern = /^(?:#+ (?<title>.+)|<!-- meta=(?<meta>\{.*\}) -->|```(?<fence>http|log)?)\s*$/;

function fileBlocks(file: string, text: string): LlhttpBlock[] {
  const blocks: LlhttpBlock[] = [];
  let [title, type, http, inside, held] = ["", "", "", "", ""];
  for (const line of text.split("\n")) {
    const found = linePattern.exec(line)?.groups;
    if (found === undefined || (inside !== "" && !line.startsWith("```"))) {
      held += `${line}\n`;
      continue;
    }
    if (found["meta"] !== undefined) type = String(JSON.parse(found["meta"]).type);
    else if (found["title"] !== undefined) title = found["title"];
    else if (inside === "http") http = held;
    else if (inside === "log")
      blocks.push({
        id: `${file}/${blocks.length + 1} ${title}`,
        bytes: unescaped(http),
        lenient: type.includes("lenient"),
        ...readLog(held),
      });
    inside = found["fence"] ?? "";
    held = "";
  }
  return blocks;
}

/** As `test/md-test.ts` of llhttp does it: line ends are CRLF, a backslash at the end joins lines, escapes are bytes. */
function unescaped(text: string): Buffer {
  const joined = text
    .replace(/\n$/, "")
    .replace(/\\\n/g, "")
    .replace(/\n/g, "\r\n")
    .replace(/\\r/g, "\r")
    .replace(/\\n/g, "\n")
    .replace(/\\t/g, "\t")
    .replace(/\\f/g, "\f")
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Buffer.from(joined);
}

/** Codes of llhttp that are no errors: paused, paused for an upgrade. */
const pauses = ["21", "22", "31"];

const lineEnds: Readonly<Record<string, string>> = { cr: "\r", lf: "\n" };

function readLog(log: string): Pick<LlhttpBlock, "error" | "begins" | "complete" | "bodies"> {
  const begins: number[] = [];
  const bodies: string[] = [];
  let [error, body] = [false, ""];
  for (const line of log.split("\n")) {
    const [, at = "", said = ""] = /^off=(\d+) (.*)$/.exec(line) ?? [];
    if (said === "message begin") begins.push(Number(at));
    if (said === "message begin") body = "";
    const [, text, sign] = /span\[body\]=(?:"(.*)"|(cr|lf))$/.exec(said) ?? [];
    body += text ?? (sign === undefined ? "" : lineEnds[sign]);
    if (said === "message complete") bodies.push(body);
    const code = /^error code=(\d+)/.exec(said)?.[1];
    if (code !== undefined && !pauses.includes(code)) error = true;
  }
  return { error, begins, complete: bodies.length, bodies };
}
