/** Writes the map of the house into docs/ARCHITECTURE.md, from the table that the architecture test enforces, and draws it. */
import { readFileSync, writeFileSync } from "node:fs";
import { rooms } from "../test/house/map.ts";
import { architectureSvg } from "./architecture-picture.ts";

const page = "docs/ARCHITECTURE.md";
const [begin, end] = ["<!-- map: begin -->", "<!-- map: end -->"];

/** The map as Markdown, outermost ring first. */
export function mapMarkdown(): string {
  const rows = Object.entries(rooms)
    .sort(([, a], [, b]) => b.ring - a.ring)
    .map(([name, { ring, holds, mayImport }]) => {
      const inward = mayImport.length === 0 ? "nothing" : mayImport.join(", ");
      return `| ${ring} | \`${name}\` | ${holds} | ${inward} |`;
    });
  return ["| ring | room | holds | may import |", "|---|---|---|---|", ...rows].join("\n");
}

/** The page with today's map in it. */
export function withMap(text: string): string {
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${page} needs the lines ${begin} and ${end}`);
  return `${before}${begin}\n${mapMarkdown()}\n${end}${after}`;
}

if (import.meta.main) {
  writeFileSync(page, withMap(readFileSync(page, "utf8")));
  writeFileSync("docs/architecture.svg", architectureSvg());
}
