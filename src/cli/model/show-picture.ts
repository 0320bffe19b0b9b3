/** Pictures on a command line: as text to standard output, or as SVG to a file. */
import { writeFile } from "node:fs/promises";
import { layOut } from "../../adapters/graph-layout/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { mermaidOf, type Picture, svgOf } from "../../model/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";

export const pictureFormats = ["svg", "mermaid", "json"] as const;
export type PictureFormat = (typeof pictureFormats)[number];

export function pictureText(picture: Picture, format: PictureFormat): string {
  if (format === "json") return `${JSON.stringify(picture, undefined, 2)}\n`;
  return format === "mermaid" ? mermaidOf(picture) : svgOf(picture, layOut(picture));
}

/** Writes a picture whole to a file, or to standard output without one. */
export async function writePicture(
  picture: Picture,
  format: PictureFormat,
  file: string | undefined,
  io: CommandOutput,
): Promise<Result<void, string>> {
  const text = pictureText(picture, format);
  if (file === undefined) {
    io.out(text.trimEnd());
    return ok(undefined);
  }
  try {
    await writeFile(file, text);
    return ok(undefined);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return err(`cannot write ${file}: ${code ?? String(cause)}`);
  }
}

/** By the file's ending where no format is given. */
export function formatOf(
  given: string | undefined,
  file: string | undefined,
): Result<PictureFormat, string> {
  const ending = /\.([a-z]+)$/.exec(file ?? "")?.[1];
  const named = given ?? (ending === "mmd" ? "mermaid" : ending) ?? "svg";
  const known = pictureFormats.find((format) => format === named);
  if (known !== undefined) return ok(known);
  return err(`\`${named}\` is no format of pictures: use ${pictureFormats.join(", ")}`);
}
