/** A chart's template is no object yet: what it says depends on values that are not in it. */
import type { SourceFault, SourceFile } from "../../adapters/sources/index.ts";

/** A line that is an action, or a value that is taken from what a chart is given. */
const action =
  /^\s*\{\{-?\s*(?:if|else|range|with|include|define|template|end)\b|\{\{-?[^{}]*\.(?:Values|Release|Chart)\b/;

/** Why the file is refused, with the line; undefined: it is no template. */
export function helmFault({ path, bytes }: SourceFile): SourceFault | undefined {
  if (!/\.ya?ml$/.test(path)) return undefined;
  const text = new TextDecoder().decode(bytes);
  if (!text.includes("{{")) return undefined;
  const line = text.split("\n").findIndex((each) => action.test(each));
  if (line < 0) return undefined;
  const message =
    "a Helm template, whose values are not in it; render it first: helm template <release> <chart> > rendered.yaml";
  return { reference: `${path}:${line + 1}`, path: "", message };
}
