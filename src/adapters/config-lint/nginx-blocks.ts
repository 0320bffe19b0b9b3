/** An nginx configuration as directives in blocks: words, quotes, comments (nginx.org, "Configuration file's structure"). */

export interface NginxDirective {
  readonly name: string;
  readonly words: readonly string[];
  readonly line: number;
  /** Absent for a simple directive. */
  readonly block?: readonly NginxDirective[];
}

const pieces =
  /#[^\n]*|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|\n|[{};]|(?:\\.|\$\{[^}]*\}|[^\s{};"'#\\])(?:\\.|\$\{[^}]*\}|[^\s{};])*/g;

interface Open {
  readonly name: string;
  readonly words: readonly string[];
  readonly line: number;
  readonly inside: NginxDirective[];
}

export function readNginx(text: string): readonly NginxDirective[] {
  const root: Open = { name: "", words: [], line: 1, inside: [] };
  const open: Open[] = [root];
  for (const { words, line, end } of statements(text)) {
    const [name = "", ...rest] = words;
    if (end === "{") open.push({ name, words: rest, line, inside: [] });
    else if (end === "}") close(open);
    else if (name !== "") open.at(-1)?.inside.push({ name, words: rest, line });
  }
  while (open.length > 1) close(open);
  return root.inside;
}

interface Statement {
  readonly words: readonly string[];
  /** Of the first word. */
  readonly line: number;
  readonly end: string;
}

function* statements(text: string): Generator<Statement> {
  let words: string[] = [];
  let line = 1;
  let from = 1;
  for (const [piece] of text.matchAll(pieces)) {
    if (/^[;{}]$/.test(piece)) {
      yield { words, line: from, end: piece };
      words = [];
    } else if (!/^[\n#]/.test(piece)) {
      if (words.length === 0) from = line;
      words.push(unquoted(piece));
    }
    line += piece.split("\n").length - 1;
  }
}

function close(open: Open[]): void {
  if (open.length < 2) return;
  const done = open.pop();
  if (done)
    open
      .at(-1)
      ?.inside.push({ name: done.name, words: done.words, line: done.line, block: done.inside });
}

function unquoted(piece: string): string {
  return /^["']/.test(piece) ? piece.slice(1, -1).replace(/\\(.)/g, "$1") : piece;
}
