/** The tools an upstream described, pinned by digest: what is shown to agents, and what policy is told about a call. */

import type { Identity } from "../../../identity/index.ts";
import {
  digestOf,
  isJsonObject,
  itemsOfJson,
  type JsonObject,
  parseJsonStrict,
  sliceJson,
  spliceJson,
  toolId,
} from "../../../kernel/index.ts";
import type { Spine, ToolDefinition } from "../../call.ts";
import type { ToolPins } from "../../tool-pins.ts";
import type { Era } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { errorMessage, rpcCode } from "../wire/json-rpc.ts";
import { type ParamHeader, paramHeadersOf } from "../wire/param-headers.ts";
import { jsonBytes } from "../wire/upstream.ts";

export interface CatalogTool {
  readonly definition: ToolDefinition;
  readonly paramHeaders: readonly ParamHeader[];
  readonly hasOutputSchema: boolean;
}

export interface CatalogParts {
  readonly server: string;
  readonly trusted: boolean;
  readonly toolsMax: number;
  readonly pins: ToolPins | undefined;
}

export class Catalog {
  readonly #parts: CatalogParts;
  readonly #tools = new Map<string, CatalogTool>();

  constructor(parts: CatalogParts) {
    this.#parts = parts;
  }

  get(name: string): CatalogTool | undefined {
    return this.#tools.get(name);
  }

  /**
   * Pins every tool of a `tools/list` answer and gives the answer with only those this identity could ever call, in
   * the order of their names. A definition that cannot be read strictly is left out: it cannot be pinned. An answer that
   * may hold a list and cannot be read as one becomes an error.
   */
  filtered(message: Uint8Array, spine: Spine, identity: Identity, era: Era): Uint8Array {
    const listed = sliceJson(message, ["result", "tools"]);
    const items = listed === undefined ? undefined : itemsOfJson(listed);
    if (items === undefined) return withoutList(message);
    const kept = items
      .map((bytes) => ({ bytes, name: this.#pin(bytes) }))
      .filter(({ name }) => name !== undefined && this.#shown(name, spine, identity))
      .sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
    const tools = `[${kept.map(({ bytes }) => decoder.decode(bytes)).join(",")}]`;
    const text = spliced(message, ["result", "tools"], tools);
    return era === "modern" ? spliced(text, ["result", "cacheScope"], '"private"') : text;
  }

  #shown(name: string, spine: Spine, identity: Identity): boolean {
    return spine.couldCall(identity, toolId(this.#parts.server, name), this.get(name)?.definition);
  }

  #pin(bytes: Uint8Array): string | undefined {
    const parsed = parseJsonStrict(bytes);
    const tool = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
    const name = tool?.["name"];
    if (tool === undefined || typeof name !== "string") return undefined;
    if (!this.#tools.has(name) && this.#tools.size >= this.#parts.toolsMax) return undefined;
    this.#tools.set(name, this.#described(name, tool));
    return name;
  }

  #described(name: string, tool: JsonObject): CatalogTool {
    const { description, inputSchema, outputSchema, annotations } = tool;
    const pinned = {
      name,
      ...(description === undefined ? {} : { description }),
      ...(inputSchema === undefined ? {} : { inputSchema }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    const digest = digestOf(pinned);
    const schema = isJsonObject(inputSchema) ? inputSchema : undefined;
    const said = isJsonObject(annotations) ? annotations : undefined;
    const hint = said?.["readOnlyHint"];
    this.#parts.pins?.observe({
      name,
      digest,
      ...(schema === undefined ? {} : { inputSchema: schema }),
      ...(said === undefined ? {} : { annotations: said }),
    });
    return {
      definition: {
        digest,
        ...(schema === undefined ? {} : { inputSchema: schema }),
        ...(this.#parts.trusted && typeof hint === "boolean" ? { readOnlyHint: hint } : {}),
      },
      paramHeaders: paramHeadersOf(schema),
      hasOutputSchema: isJsonObject(outputSchema),
    };
  }
}

const decoder = new TextDecoder();

/** An error of the server passes. Anything else could show, to another parser, the list that must be filtered. */
function withoutList(message: Uint8Array): Uint8Array {
  const value = jsonValueOf(message);
  if (isJsonObject(value) && !("result" in value)) return message;
  const id = jsonValueOf(sliceJson(message, ["id"]));
  return jsonBytes(
    errorMessage(typeof id === "string" || typeof id === "number" ? id : null, {
      code: rpcCode.internalError,
      message: "The list of tools that the server sent cannot be read, so it is not shown.",
    }),
  );
}

function spliced(
  message: Uint8Array,
  path: readonly [string, ...string[]],
  json: string,
): Uint8Array {
  const edited = spliceJson(message, path, json);
  return edited.ok ? edited.value : message;
}
