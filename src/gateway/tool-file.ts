/**
 * The definitions of one server's tools as stored state, `tools/{server}.json` in the data folder. The gateway writes
 * it, the control plane and the command line read it.
 */
import {
  canonicalJson,
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../kernel/index.ts";
import type { Disk } from "../ports.ts";

const formatVersion = 1;
/** A file over this is not written, and not read. */
export const toolFileBytesMax: number = 64 * 1024 * 1024;
/** A tool may nest 64 deep (strict JSON), and lies two deep in its file. */
const depthMax = 66;

export interface PinnedTool {
  readonly name: string;
  /** `sha256:<hex>`, as `definition_digest` in the record. */
  readonly digest: string;
  readonly inputSchema?: JsonObject;
  /** What the server says of the tool, believed or not. */
  readonly annotations?: JsonObject;
  /** RFC 3339. */
  readonly firstSeen: string;
  /** The last time the server described it differently, and the digest it had until then. */
  readonly changed?: { readonly at: string; readonly from: string };
}

export function toolFilePath(server: string): string {
  return `tools/${server}.json`;
}

export function encodeToolFile(server: string, tools: readonly PinnedTool[]): Uint8Array {
  const entries = [...tools]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, digest, inputSchema, annotations, firstSeen, changed }) => ({
      name,
      digest,
      first_seen: firstSeen,
      ...(changed === undefined
        ? {}
        : { changed: { at: changed.at, previous_digest: changed.from } }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(inputSchema === undefined ? {} : { inputSchema }),
    }));
  const file: JsonObject = { format_version: formatVersion, server, tools: entries };
  return new TextEncoder().encode(`${canonicalJson(file)}\n`);
}

/** What is stored of a server; nothing yet is an empty list. The error is a sentence with what to do. */
export async function readToolFile(
  disk: Disk,
  server: string,
): Promise<Result<readonly PinnedTool[], string>> {
  const path = toolFilePath(server);
  const read = await disk.read(path);
  if (!read.ok)
    return read.error.kind === "not_found" ? ok([]) : err(`${path}: ${read.error.code}`);
  const tools = decode(read.value, server);
  if (tools !== undefined) return ok(tools);
  return err(
    `${path} is not what Holdfast wrote; restore it, or remove it to pin its tools anew as they are now`,
  );
}

function decode(bytes: Uint8Array, server: string): readonly PinnedTool[] | undefined {
  const parsed = parseJsonStrict(bytes, { bytesMax: toolFileBytesMax, depthMax });
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { format_version, server: named, tools } = parsed.value;
  if (format_version !== formatVersion || named !== server || !isJsonArray(tools)) return undefined;
  const decoded = tools.flatMap((value) => decodeTool(value) ?? []);
  return decoded.length === tools.length ? decoded : undefined;
}

function decodeTool(value: JsonValue): PinnedTool | undefined {
  if (!isJsonObject(value)) return undefined;
  const { name, digest, first_seen: firstSeen, changed, annotations, inputSchema } = value;
  if (typeof name !== "string" || typeof digest !== "string" || typeof firstSeen !== "string")
    return undefined;
  const change = decodeChange(changed);
  if (changed !== undefined && change === undefined) return undefined;
  return {
    name,
    digest,
    firstSeen,
    ...(change === undefined ? {} : { changed: change }),
    ...(isJsonObject(annotations) ? { annotations } : {}),
    ...(isJsonObject(inputSchema) ? { inputSchema } : {}),
  };
}

function decodeChange(value: JsonValue | undefined): PinnedTool["changed"] {
  if (!isJsonObject(value)) return undefined;
  const { at, previous_digest: from } = value;
  return typeof at === "string" && typeof from === "string" ? { at, from } : undefined;
}
