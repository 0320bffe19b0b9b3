/** The first cause of an answer as an incident that a person completes and confirms: nothing is remembered by itself. */
import { writeFile } from "node:fs/promises";
import { err, instantText, ok, type Result } from "../../kernel/index.ts";
import type { NodeId } from "../../model/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { timesAsText } from "./times-as-text.ts";
import type { Asked } from "./why.ts";

export async function writeDraft(
  { answer, symptom }: Asked,
  file: string,
  io: CommandOutput,
): Promise<Result<void, string>> {
  const [cause] = answer.causes;
  if (cause === undefined) return err("--draft: no cause is named; write the incident by hand");
  const about = symptom.node ?? cause.node;
  const draft = {
    id: `${about.replace(/[^\w.-]+/g, "-")}-${instantText(symptom.at).slice(0, 19)}Z`,
    at: symptom.at,
    node: cause.node,
    kind: cause.kind,
    ...(cause.change === undefined ? {} : { change: cause.change }),
    chain: [...new Set(cause.path.flatMap(({ from, to }): readonly NodeId[] => [from, to]))],
    felt: [],
    resolution: "",
    policy: "",
  };
  try {
    await writeFile(file, `${JSON.stringify(timesAsText(draft), undefined, 2)}\n`, { flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const next = code === "EEXIST" ? "; it is there already, and may hold what somebody wrote" : "";
    return err(`cannot write ${file}: ${code ?? String(cause)}${next}`);
  }
  io.err(
    `${file}: complete it (resolution, policy, who felt it), then: holdfast model confirm ${file}`,
  );
  return ok(undefined);
}
