/**
 * `holdfast model import-postmortem <file...>` and `holdfast model confirm <file...>`: what people found out becomes memory.
 * Exit codes: 0 all of it; 1 some files were refused; 2 the store is not there.
 */
import { ModelLog, RememberedModel } from "../../control/index.ts";
import { err, isJsonObject, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import {
  type ConfirmedIncident,
  causeKinds,
  incidentEvent,
  incidentOf,
  type NodeId,
  type Postmortem,
  type Remembrance,
  readIncident,
  readPostmortemJson,
  readPostmortemMarkdown,
  splitNodeId,
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
  /** Of the model, for names without a kind. */
  nodes: readonly NodeId[],
) => Result<ConfirmedIncident, string>;

/** A postmortem in Markdown or JSON. */
export const fromPostmortem: Read = (text, name, at, by, nodes) => {
  const read: Result<Postmortem, string> = /\.json$/i.test(name)
    ? readPostmortemJson(text)
    : readPostmortemMarkdown(text, name.replace(/^.*\//, "").replace(/\.\w+$/, ""), (word) =>
        nodesNamed(nodes, word),
      );
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
  const { resolution } = parsed.value;
  if (typeof resolution === "string" && resolution.trim() === "")
    return err(
      "$.resolution is empty, as in a draft that nobody completed: write what ended it, check the node, the kind and who felt it, then confirm",
    );
  return readIncident({ at, confirmedAt: at, confirmedBy: by, ...parsed.value }, "$");
};

/** Nobody can look there first the next time. */
const unknownNode = "external:unknown";

function known(incident: ConfirmedIncident): Result<ConfirmedIncident, string> {
  return incident.node === unknownNode
    ? err(
        `${unknownNode} is no cause that can be remembered: write the node that it really was (\`holdfast model show\` lists what is known), or leave the incident unconfirmed until it is found`,
      )
    : ok(incident);
}

const meantKinds: ReadonlySet<string> = new Set(["service", "config", "workload"]);

function nodesNamed(nodes: readonly NodeId[], word: string): readonly NodeId[] {
  return nodes.filter((id) => {
    const { kind = "", name = "" } = splitNodeId(id) ?? {};
    return meantKinds.has(kind) && (name === word || name.endsWith(`/${word}`));
  });
}

async function nodesOf(
  log: ModelLog,
  rules: Remembrance,
  nowMs: number,
): Promise<Result<readonly NodeId[], string>> {
  const model = new RememberedModel(log, rules);
  const refreshed = await model.refresh(nowMs);
  return refreshed.ok ? ok(model.graph.latest().nodes()) : refreshed;
}

export async function confirmFiles(
  state: SharedState,
  paths: readonly string[],
  {
    read,
    by,
    io,
    rules,
  }: {
    readonly read: Read;
    readonly io: CommandOutput;
    readonly rules: Remembrance;
  } & ConfirmOptions,
): Promise<number> {
  const now = await state.now();
  if (!now.ok) {
    io.err(`error: the store is ${now.error.kind}: ${now.error.detail}`);
    return 2;
  }
  const log = new ModelLog(state);
  const nodes = read === fromPostmortem ? await nodesOf(log, rules, now.value) : ok([]);
  if (!nodes.ok) {
    io.err(`error: ${nodes.error}`);
    return 2;
  }
  let refused = 0;
  for (const path of paths) {
    const file = await readSourceFile(path);
    const text = file.ok ? ok(new TextDecoder().decode(file.value.bytes)) : file;
    const told = text.ok ? read(text.value, path, now.value, by, nodes.value) : text;
    const incident = told.ok ? known(told.value) : told;
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
