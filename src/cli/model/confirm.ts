/**
 * `holdfast model import-postmortem <file...>` and `holdfast model confirm <file...>`: what people found out becomes memory.
 * Exit codes: 0 all of it; 1 some files were refused; 2 the store is not there.
 */
import { ModelLog } from "../../control/index.ts";
import { err, isJsonObject, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import {
  type ConfirmedIncident,
  causeKinds,
  incidentEvent,
  incidentOf,
  type Postmortem,
  readIncident,
  readPostmortemJson,
  readPostmortemMarkdown,
} from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { readSourceFile } from "./read-files.ts";
import { visible } from "./visible.ts";

export interface ConfirmOptions {
  /** Who stands for it. */
  readonly by: string;
}

type Read = (
  text: string,
  name: string,
  at: number,
  by: string,
) => Result<ConfirmedIncident, string>;

/** A postmortem in Markdown or JSON. */
export const fromPostmortem: Read = (text, name, at, by) => {
  const read: Result<Postmortem, string> = /\.json$/i.test(name)
    ? readPostmortemJson(text)
    : readPostmortemMarkdown(text, name.replace(/^.*\//, "").replace(/\.\w+$/, ""));
  if (!read.ok) return read;
  const incident = incidentOf(read.value, { at, by });
  if (incident !== undefined) return ok(incident);
  return read.value.roots.length === 0
    ? err(
        "it does not name what the cause was: write the node's id in the section `Root cause` (service:cart, config:defaults), or a chain (config:defaults -> service:cart)",
      )
    : err(
        `it does not say of which kind the cause was: add a line \`kind: <kind>\`, of ${Object.keys(causeKinds).join(", ")}`,
      );
};

/** An incident as `holdfast.memory/1` writes it; the time and the name of who confirms are added. */
export const fromIncident: Read = (text, _name, at, by) => {
  const parsed = parseJsonStrict(new TextEncoder().encode(text));
  if (!parsed.ok) return err(`it is not JSON: ${parsed.error.detail}`);
  if (!isJsonObject(parsed.value)) return err("$ is no object");
  return readIncident({ at, confirmedAt: at, confirmedBy: by, ...parsed.value }, "$");
};

export async function confirmFiles(
  state: SharedState,
  paths: readonly string[],
  { read, by, io }: { readonly read: Read; readonly io: CommandOutput } & ConfirmOptions,
): Promise<number> {
  const now = await state.now();
  if (!now.ok) {
    io.err(`error: the store is ${now.error.kind}: ${now.error.detail}`);
    return 2;
  }
  const log = new ModelLog(state);
  let refused = 0;
  for (const path of paths) {
    const file = await readSourceFile(path);
    const text = file.ok ? ok(new TextDecoder().decode(file.value.bytes)) : file;
    const incident = text.ok ? read(text.value, path, now.value, by) : text;
    if (!incident.ok) {
      io.err(`error: ${visible(path)}: ${incident.error}`);
      refused += 1;
      continue;
    }
    const event = incidentEvent(incident.value, path);
    const wrote = await log.write({ id: event.id, source: `people ${path}`, events: [event] });
    if (!wrote.ok) {
      io.err(`error: ${wrote.error}`);
      return 2;
    }
    const { id, kind, node } = incident.value;
    io.out(`${visible(id)}: ${kind} at ${visible(node)} is remembered`);
  }
  return refused > 0 ? 1 : 0;
}
