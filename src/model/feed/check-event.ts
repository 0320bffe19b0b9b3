/** The last look at an event before it is kept, whatever adapter made it: what is kept can be stored, ordered and shown. */
import { isWellFormed } from "../../kernel/index.ts";
import type { ModelEvent } from "../event.ts";
import { splitNodeId } from "../graph-words.ts";

/** One event; a longer series is told in several. */
export const eventBytesMax: number = 512 * 1024;

const idCharactersMax = 4_096;
const nameCharactersMax = 512;
/** The last moment that a date can be written of. */
const timeMax = 8_640_000_000_000_000;

/** Why the event is refused: a sentence that begins with the path of the member. Undefined: it is well. */
export function faultOf(event: ModelEvent): string | undefined {
  const { id, at, knownAt } = event;
  if (id.length === 0 || id.length > idCharactersMax)
    return `id: has ${id.length} characters; 1 to ${idCharactersMax} are kept`;
  for (const [name, time] of [
    ["at", at],
    ["knownAt", knownAt],
  ] as const)
    if (!(Math.abs(time) <= timeMax)) return `${name}: ${time} is no time in milliseconds`;
  return nodesOf(event).map(nodeFault).find(Boolean) ?? valueFault(event, "");
}

function nodesOf(event: ModelEvent): readonly string[] {
  switch (event.type) {
    case "edge":
      return [event.from, event.to];
    case "change":
      return [event.change, ...event.targets, ...(event.causedBy ?? [])];
    case "traffic":
      return event.caller === null ? [event.callee] : [event.caller, event.callee];
    case "action":
      return [event.agent, event.tool, ...event.targets];
    default:
      return [event.node];
  }
}

function nodeFault(node: string): string | undefined {
  if (splitNodeId(node) === undefined)
    return `node: ${JSON.stringify(node.slice(0, 80))} is no node id (kind:name)`;
  return node.length > nameCharactersMax
    ? `node: a name of ${node.length} characters; ${nameCharactersMax} are kept`
    : undefined;
}

/** Numbers are finite and text is well-formed, however deep; what is not could not be written down. */
function valueFault(value: unknown, path: string): string | undefined {
  if (typeof value === "string")
    return isWellFormed(value) ? undefined : `${path}: half a character`;
  if (typeof value === "number")
    return Number.isFinite(value) ? undefined : `${path}: ${value} is no number`;
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value !== "object") return `${path}: ${typeof value} is no JSON`;
  for (const [name, member] of Object.entries(value)) {
    const fault = valueFault(member, path === "" ? name : `${path}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
