/** What a person types as a symptom: a node (by id or by name), a signal in their words, an operation. */
import { err, nearestWord, ok, type Result } from "../kernel/index.ts";
import type { Symptom } from "./answer.ts";
import { type Signal, signals } from "./event.ts";
import { type NodeId, type NodeKind, splitNodeId } from "./graph-words.ts";

/** How people say it; the signals' own names are understood as well. */
const words: Readonly<Record<string, Signal>> = {
  slow: "latency",
  slowness: "latency",
  timeout: "latency",
  timeouts: "latency",
  failing: "errors",
  fails: "errors",
  error: "errors",
  broken: "errors",
  down: "availability",
  unavailable: "availability",
  unreachable: "availability",
  oom: "memory",
  crashing: "restarts",
  restarting: "restarts",
  behind: "lag",
};

/** When a name is of several nodes, the one that people mean first. */
const meantFirst: readonly NodeKind[] = ["service", "workload", "database", "queue", "host"];

/** The nodes that there are; a view of the graph is such. */
export interface KnownNodes {
  has(id: NodeId): boolean;
  nodes(): readonly NodeId[];
}

/**
 * Reads `<node> [operation] [signal]` in any order. The node is an id (`service:front`) or a name that is known; words
 * that mean nothing are an error when no node is found, since an answer about the wrong thing is worse than none.
 */
export function readSymptom(text: string, at: number, known: KnownNodes): Result<Symptom, string> {
  const parts = text
    .trim()
    .split(/\s+/)
    .filter((part) => part !== "");
  if (parts.length === 0)
    return err("no symptom: name what is wrong, such as `service:front latency`");
  const read: Read = { rest: [] };
  for (const part of parts) {
    const told = readWord(part, read, known);
    if (!told.ok) return told;
  }
  const { node, signal, rest } = read;
  if (node === undefined && rest.length > 0) return err(unknownText(rest[0] ?? "", known));
  return ok({
    at,
    ...(node === undefined ? {} : { node }),
    ...(signal === undefined ? {} : { signal }),
    ...(rest.length === 0 ? {} : { operation: rest.join(" ") }),
    text,
  });
}

interface Read {
  node?: NodeId;
  signal?: Signal;
  readonly rest: string[];
}

/** A word is the node, else the signal, else part of the operation: the first that it can be and that is still open. */
function readWord(word: string, read: Read, known: KnownNodes): Result<void, string> {
  const found = read.node === undefined ? nodeOf(word, known) : ok(undefined);
  if (!found.ok) return found;
  const signal = read.signal === undefined ? signalOf(word) : undefined;
  if (found.value !== undefined) read.node = found.value;
  else if (signal !== undefined) read.signal = signal;
  else read.rest.push(word);
  return ok(undefined);
}

function signalOf(word: string): Signal | undefined {
  const lower = word.toLowerCase();
  if (Object.hasOwn(signals, lower)) return lower as Signal;
  return Object.hasOwn(words, lower) ? words[lower] : undefined;
}

function nodeOf(word: string, known: KnownNodes): Result<NodeId | undefined, string> {
  if (splitNodeId(word) !== undefined)
    return known.has(word) ? ok(word) : err(unknownText(word, known));
  const named = known.nodes().filter((id) => {
    const name = splitNodeId(id)?.name;
    return name === word || name?.endsWith(`/${word}`) === true;
  });
  if (named.length <= 1) return ok(named[0]);
  for (const kind of meantFirst) {
    const ofKind = named.filter((id) => splitNodeId(id)?.kind === kind);
    if (ofKind.length === 1) return ok(ofKind[0]);
    if (ofKind.length > 1) break;
  }
  return err(`\`${word}\` is the name of several: ${named.slice(0, 5).join(", ")}; give the id`);
}

function unknownText(word: string, nodes: KnownNodes): string {
  const known = nodes.nodes();
  const name = (splitNodeId(word)?.name ?? word).toLowerCase();
  const holding = known.filter((id) => id.toLowerCase().includes(name)).slice(0, 5);
  const near = holding.length > 0 ? holding : misspelt(word, known);
  const hint =
    near.length > 0
      ? `did you mean ${near.join(", ")}?`
      : known.length === 0
        ? "nothing is known yet: feed the model with `holdfast model ingest <file>`"
        : "`holdfast model show` lists what is known";
  return `the model knows nothing named \`${word}\` at that moment; ${hint}`;
}

function misspelt(word: string, known: readonly NodeId[]): readonly NodeId[] {
  const names = new Map(known.map((id) => [splitNodeId(id)?.name.split("/").at(-1) ?? id, id]));
  const meant = nearestWord(splitNodeId(word)?.name ?? word, names.keys());
  const id = meant === undefined ? undefined : names.get(meant);
  return id === undefined ? [] : [id];
}
