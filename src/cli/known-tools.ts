/**
 * What is known of tools without asking anyone: OpenAPI documents and route lists of the configuration, and what MCP
 * servers said of themselves, as stored in the data folder. The control plane and the command line know the same.
 */
import { join } from "node:path";
import { openDisk } from "../adapters/disk/index.ts";
import { readOpenApiFile } from "../adapters/openapi/index.ts";
import {
  definitionOf,
  effectOfMethod,
  governedMethods,
  type PinnedTool,
  type RouteTable,
  readOpenApi,
  readToolFile,
  routeTable,
  type ToolDefinition,
  toolOfRoute,
} from "../gateway/index.ts";
import {
  err,
  type JsonObject,
  ok,
  type Result,
  serverNamePattern,
  type ToolId,
  toolId,
} from "../kernel/index.ts";
import type { Effect } from "../policy/index.ts";
import type { Config, HttpUpstreamConfig } from "./config-types.ts";

export interface KnownTool {
  readonly id: ToolId;
  /** Absent for what is a tool only to policy: `files:resources/read`. */
  readonly definition?: ToolDefinition;
  /** What the wire itself says: the HTTP method, the MCP method. */
  readonly effectHint?: Effect;
  /** As stored, when a server described it. */
  readonly pinned?: PinnedTool;
}

export interface KnownTools {
  readonly tools: readonly KnownTool[];
  /** Sentences; the tools behind them are missing. */
  readonly problems: readonly string[];
}

/** Reads afresh each time. Tools are in order of their ids. */
export async function knownTools(config: Config): Promise<KnownTools> {
  const tools = new Map<ToolId, KnownTool>();
  const problems: string[] = [];
  const take = (found: Result<readonly KnownTool[], string>): void => {
    if (!found.ok) problems.push(found.error);
    else for (const tool of found.value) if (!tools.has(tool.id)) tools.set(tool.id, tool);
  };
  for (const [name, { mcp, http }] of Object.entries(config.upstreams))
    take(
      http === undefined
        ? await describedTools(config.data, name, mcp.trusted)
        : await routedTools(name, http),
    );
  // `holdfast mcp wrap` keeps a data folder of its own for each server, under the same policies.
  const wrapped = await openDisk(config.data).list("wrap");
  for (const folder of wrapped.ok ? wrapped.value : []) {
    const server = folder.replace(/\/$/, "");
    if (serverNamePattern.test(server))
      take(await describedTools(join(config.data, "wrap", server), server, false));
  }
  return { tools: [...tools.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), problems };
}

/** Argument schemas by tool id; `{}` where a tool is known and its arguments are not. */
export function schemasOf(tools: readonly KnownTool[]): ReadonlyMap<ToolId, JsonObject> {
  return new Map(tools.map(({ id, definition }) => [id, definition?.inputSchema ?? {}]));
}

async function describedTools(
  folder: string,
  server: string,
  trusted: boolean,
): Promise<Result<readonly KnownTool[], string>> {
  const read = await readToolFile(openDisk(folder), server);
  if (!read.ok) return err(join(folder, read.error));
  if (read.value.length === 0) return ok([]);
  const methods = [...governedMethods].map(([method, effectHint]) => ({
    id: toolId(server, method),
    effectHint,
  }));
  const described = read.value.map((pinned) => ({
    id: toolId(server, pinned.name),
    definition: definitionOfPinned(pinned, trusted),
    pinned,
  }));
  return ok([...described, ...methods]);
}

function definitionOfPinned(pinned: PinnedTool, trusted: boolean): ToolDefinition {
  const { digest, inputSchema, annotations } = pinned;
  const hint = annotations?.["readOnlyHint"];
  return {
    digest,
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(trusted && typeof hint === "boolean" ? { readOnlyHint: hint } : {}),
  };
}

async function routedTools(
  server: string,
  http: HttpUpstreamConfig,
): Promise<Result<readonly KnownTool[], string>> {
  const table = await routesOf(http);
  if (!table.ok) return err(`upstreams.${server}: ${table.error.join("; ")}`);
  const routes = table.value?.routes ?? [];
  return ok(
    routes.map((route) => ({
      id: toolOfRoute(server, route),
      definition: definitionOf(route),
      effectHint: route.effect ?? effectOfMethod(route.method),
    })),
  );
}

/** The routes that are configured, by document or by list; undefined when neither is. */
export async function routesOf(
  config: HttpUpstreamConfig,
): Promise<Result<RouteTable | undefined, readonly string[]>> {
  if (config.openapi !== undefined) {
    const document = await readOpenApiFile(config.openapi);
    return document.ok ? readOpenApi(document.value) : err([document.error]);
  }
  if (config.routes === undefined) return ok(undefined);
  return routeTable(
    config.routes.map(({ method, path, effect, description }) => ({
      method,
      template: path,
      ...(effect === undefined ? {} : { effect }),
      ...(description === undefined ? {} : { description }),
    })),
  );
}
