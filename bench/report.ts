/** Where a table goes. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/**
 * Writes the file; in one that has `<!-- name: begin -->` and `<!-- name: end -->`, as docs/bench.md does, only what is
 * between them.
 */
export function writeReport(path: string, name: string, text: string): void {
  const page = existsSync(path) ? readFileSync(path, "utf8") : "";
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  const marked = from >= 0 && to > from;
  writeFileSync(
    path,
    marked ? `${page.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${page.slice(to)}` : text,
  );
}
