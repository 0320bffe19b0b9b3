/**
 * `holdfast model mcp`: the model for agents, over MCP on standard input and output. It reads the store and changes nothing.
 * Exit codes: 0 when the client has gone away; 2 the store cannot be opened.
 */
import { ModelLog, RememberedModel } from "../../control/index.ts";
import { err, ok } from "../../kernel/index.ts";
import {
  Graph,
  incidentAspect,
  type ModelEvent,
  readableKinds,
  rememberedKinds,
} from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { Config } from "../config-types.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { impactSources } from "./impact.ts";
import { type ReadWorld, readTools } from "./read-tools.ts";
import { remembranceOf } from "./remembrance-of.ts";

const instructions =
  "The runtime model of production. Ask `impact` before you change anything and `why` when something is wrong; `as_of`, `neighbours` and `history` show what the answers rest on. Nothing here changes production.";

export interface AskedWorld {
  readonly state: SharedState;
  readonly config: Pick<Config, "policies" | "model">;
  readonly io: CommandOutput;
  /** Who asks: what it may not read is not there for it. Undefined: a person, who may read all. */
  readonly agent: string | undefined;
}

export interface McpWorld extends AskedWorld {
  readonly version: string;
}

export async function serveModel(world: McpWorld): Promise<number> {
  const tools = readTools(readWorld(world));
  // Only this command needs the library; every other starts without it.
  const { serveTools } = await import("../../adapters/mcp-server/index.ts");
  const { version } = world;
  await serveTools({ name: "holdfast-model", version, instructions, tools });
  return 0;
}

/** The stored model, read anew where it has grown. */
export function readWorld({ state, config, io, agent }: AskedWorld): ReadWorld {
  const rules = remembranceOf(config.model);
  const model = new RememberedModel(new ModelLog(state), rules);
  const readable: ReadonlySet<string> =
    agent === undefined ? new Set(rememberedKinds) : readableKinds(rules, agent);
  return {
    sources: async (withPolicy) => {
      const now = await state.now();
      if (!now.ok) return err(`the store is ${now.error.kind}: ${now.error.detail}`);
      const read = await model.refresh(now.value);
      if (!read.ok) return read;
      const graph = visibleTo(model.graph, readable);
      const sources = await impactSources({
        ...{ graph, nowMs: now.value, state, io },
        config: withPolicy ? config : { model: config.model },
      });
      if (typeof sources === "string") return err(sources);
      const predictions = readable.has("prediction") ? sources.predictions : [];
      return ok({
        ...sources,
        predictions,
        nowMs: now.value,
      });
    },
  };
}

/** Told as a fact about a node, and read as what it is. */
function isIncident(event: ModelEvent): boolean {
  return event.type === "node" && event.aspect === incidentAspect;
}

function visibleTo(graph: Graph, readable: ReadonlySet<string>): Graph {
  const isReadable = (event: ModelEvent) =>
    readable.has(isIncident(event) ? "incident" : event.type);
  const all = [...graph.events()];
  if (all.every(isReadable)) return graph;
  const visible = new Graph();
  visible.add(all.filter(isReadable));
  return visible;
}
