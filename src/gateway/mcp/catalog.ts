/** The tools an upstream described, pinned by digest: what is shown to agents, and what policy is told about a call. */

import type { Identity } from "../../identity/index.ts";
import {
  digestOf,
  isJsonObject,
  itemsOfJson,
  type JsonObject,
  parseJsonStrict,
  sliceJson,
  spliceJson,
  toolId,
} from "../../kernel/index.ts";
import type { Spine, ToolDefinition } from "../call.ts";
import type { Era } from "./eras.ts";
import { type ParamHeader, paramHeadersOf } from "./param-headers.ts";

export interface CatalogTool {
  readonly definition: ToolDefinition;
  readonly paramHeaders: readonly ParamHeader[];
  readonly hasOutputSchema: boolean;
}

export class Catalog {
  readonly #server: string;
  readonly #trusted: boolean;
  readonly #toolsMax: number;
  readonly #tools = new Map<string, CatalogTool>();

  constructor(server: string, trusted: boolean, toolsMax: number) {
    this.#server = server;
    this.#trusted = trusted;
    this.#toolsMax = toolsMax;
  }

  get(name: string): CatalogTool | undefined {
    return this.#tools.get(name);
  }

  /**
   * Pins every tool of a `tools/list` answer and gives the answer with only those this identity could ever call, in
   * the order of their names. A definition that cannot be read strictly is left out: it cannot be pinned.
   */
  filtered(message: Uint8Array, spine: Spine, identity: Identity, era: Era): Uint8Array {
    const listed = sliceJson(message, ["result", "tools"]);
    const items = listed === undefined ? undefined : itemsOfJson(listed);
    if (items === undefined) return message;
    const kept = items
      .map((bytes) => ({ bytes, name: this.#pin(bytes) }))
      .filter(({ name }) => name !== undefined && this.#shown(name, spine, identity))
      .sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
    const tools = `[${kept.map(({ bytes }) => decoder.decode(bytes)).join(",")}]`;
    const text = spliced(message, ["result", "tools"], tools);
    return era === "modern" ? spliced(text, ["result", "cacheScope"], '"private"') : text;
  }

  #shown(name: string, spine: Spine, identity: Identity): boolean {
    return spine.couldCall(identity, toolId(this.#server, name), this.get(name)?.definition);
  }

  #pin(bytes: Uint8Array): string | undefined {
    const parsed = parseJsonStrict(bytes);
    const tool = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
    const name = tool?.["name"];
    if (tool === undefined || typeof name !== "string") return undefined;
    if (!this.#tools.has(name) && this.#tools.size >= this.#toolsMax) return undefined;
    this.#tools.set(name, this.#described(tool));
    return name;
  }

  #described(tool: JsonObject): CatalogTool {
    const { name, description, inputSchema, outputSchema, annotations } = tool;
    const pinned = {
      name: name ?? null,
      ...(description === undefined ? {} : { description }),
      ...(inputSchema === undefined ? {} : { inputSchema }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
    };
    const schema = isJsonObject(inputSchema) ? inputSchema : undefined;
    const hint = isJsonObject(annotations) ? annotations["readOnlyHint"] : undefined;
    return {
      definition: {
        digest: digestOf(pinned),
        ...(schema === undefined ? {} : { inputSchema: schema }),
        ...(this.#trusted && typeof hint === "boolean" ? { readOnlyHint: hint } : {}),
      },
      paramHeaders: paramHeadersOf(schema),
      hasOutputSchema: isJsonObject(outputSchema),
    };
  }
}

const decoder = new TextDecoder();

function spliced(
  message: Uint8Array,
  path: readonly [string, ...string[]],
  json: string,
): Uint8Array {
  const edited = spliceJson(message, path, json);
  return edited.ok ? edited.value : message;
}
