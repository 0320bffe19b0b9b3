/**
 * What agents may ask the model, as tools: why, impact, as_of, neighbours, history. Each reads and changes nothing; what it
 * answers is bounded, and says so where something is left out.
 */
import type { ReadingTool } from "../../adapters/mcp-server/index.ts";
import { err, instantText, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import { changeKinds, edgeKinds, type NodeId, readSymptom, type View } from "../../model/index.ts";
import { type ImpactSources, impactOf } from "./impact-of.ts";
import { laterKnown, readMoment, readMoments } from "./moment.ts";
import { shownValue } from "./show-node.ts";
import { timesAsText } from "./times-as-text.ts";
import { askWhy } from "./why.ts";

/** More would only fill the window of the agent's model. */
const itemsMax = 100;
const depthMax = 6;

export interface ReadWorld {
  /** The model as it is now; asked anew for every call. Policy is read only where the answer names it. */
  sources(withPolicy: boolean): Promise<Result<ReadSources, string>>;
}

interface ReadSources extends ImpactSources {
  readonly nowMs: number;
}

const text = (description: string): JsonObject => ({
  type: "string",
  minLength: 1,
  maxLength: 1_024,
  description,
});
const moments: JsonObject = {
  at: text(
    "as of this instant (2026-05-04T10:12:00Z), or so long ago (15m, 2h); now, unless given",
  ),
  known_at: text(
    "by what was known then; `now`: by all that is known; the moment of `at`, unless given",
  ),
};

function schemaOf(properties: JsonObject, required: readonly string[]): JsonObject {
  return {
    type: "object",
    properties: { ...properties, ...moments },
    required,
    additionalProperties: false,
  };
}

interface Asked extends ReadSources {
  readonly atMs: number;
  readonly view: View;
  readonly args: JsonObject;
  /** What was left out, because it was learned later. */
  readonly note: string | undefined;
}

type Answer = (asked: Asked) => Result<object, string>;

export function readTools(world: ReadWorld): readonly ReadingTool[] {
  const tool = (
    name: string,
    description: string,
    inputSchema: JsonObject,
    answer: Answer,
  ): ReadingTool => ({
    ...{ name, description, inputSchema },
    run: async (args) => {
      const sources = await world.sources(name === "impact");
      if (!sources.ok) return sources;
      const asked = momentOf(args, sources.value);
      return asked.ok ? noted(answer(asked.value), asked.value) : asked;
    },
  });
  return [
    tool(
      "why",
      "What caused a symptom in production: ranked causes with the path from cause to symptom, the evidence, what was ruled out, what to check next. Verdict `insufficient` means that nobody should act on it.",
      schemaOf({ symptom: text("a node and what is wrong with it: service:front latency") }, [
        "symptom",
      ]),
      whyAnswer,
    ),
    tool(
      "impact",
      "What an action would touch, before it is done: services likely to feel it with a probability each and the incidents it was learned from, operations, a share of the traffic with its interval, trust zones, classes of data, the policies that would apply, similar actions and what came of them.",
      schemaOf(
        {
          what: text("a node (service:cart) or a tool of the catalog (ops:restart)"),
          change: {
            type: "string",
            enum: [...changeKinds],
            description: "what would be done to it",
          },
          args: { type: "object", description: "arguments of the tool, which name its target" },
        },
        ["what"],
      ),
      impactAnswer,
    ),
    tool(
      "as_of",
      "What was known of a node at a moment: its facts, the edges from and to it, the last version before that was good.",
      schemaOf({ node: text("id or name") }, ["node"]),
      onNode(asOf),
    ),
    tool(
      "neighbours",
      "What is around a node: callers, callees, what it runs on and is configured by.",
      schemaOf(
        {
          node: text("id or name"),
          direction: {
            type: "string",
            enum: ["out", "in", "both"],
            description: "out: what it depends on; in: what depends on it; both, unless given",
          },
          kinds: { type: "array", items: { type: "string", enum: [...edgeKinds] }, maxItems: 9 },
          depth: { type: "integer", minimum: 1, maximum: depthMax, description: "1, unless given" },
        },
        ["node"],
      ),
      onNode(neighbours),
    ),
    tool(
      "history",
      "What happened to a node, or anywhere: changes with their difference, alerts, conditions, actions of agents; the newest first.",
      schemaOf(
        {
          node: text("id or name; everything, unless given"),
          since: text("from when; 24h, unless given"),
        },
        [],
      ),
      history,
    ),
  ];
}

function momentOf(args: JsonObject, sources: ReadSources): Result<Asked, string> {
  const { nowMs, graph } = sources;
  const { at, known_at: knownAt } = args as Record<string, string>;
  const names = { at: "at", knownAt: "known_at" };
  const moments = readMoments({ at, knownAt }, nowMs, names);
  if (!moments.ok) return moments;
  const { atMs, knownAtMs } = moments.value;
  const note = laterKnown(graph, moments.value, "known_at: now");
  return ok({ ...sources, atMs, view: graph.asOf(atMs, knownAtMs), args, note });
}

/** With what was left out of it. */
function noted(answered: ReturnType<Answer>, { note }: Asked): Result<JsonObject, string> {
  if (!answered.ok) return note === undefined ? answered : err(`${answered.error} (${note})`);
  return ok(timesAsText({ ...answered.value, ...(note !== undefined && { note }) }));
}

function whyAnswer({ graph, nowMs, incidentKeepMs, args }: Asked): Result<object, string> {
  const { symptom, at, known_at: knownAt } = args as Record<string, string>;
  const words = String(symptom).split(/\s+/);
  const asked = askWhy(
    graph,
    words,
    { ...(at === undefined ? {} : { at }), ...(knownAt === undefined ? {} : { knownAt }) },
    nowMs,
    incidentKeepMs,
  );
  return asked.ok ? ok({ symptom: asked.value.symptom, ...asked.value.answer }) : asked;
}

function impactAnswer({ args, atMs, view, ...sources }: Asked): Result<object, string> {
  const { what, change, args: given } = args;
  return impactOf(
    {
      ...{ what: String(what), at: atMs, knownAt: view.knownAt },
      ...(change === undefined ? {} : { change: String(change) }),
      ...(given === undefined ? {} : { args: given as JsonObject }),
    },
    sources,
  );
}

function onNode(answer: (node: NodeId, asked: Asked) => object): Answer {
  return (asked) => {
    const node = nodeOf(asked);
    return node.ok ? ok(answer(node.value, asked)) : node;
  };
}

function nodeOf({ args, atMs, view }: Asked): Result<NodeId, string> {
  const name = String(args["node"]);
  const read = readSymptom(name, atMs, view);
  if (!read.ok) return read;
  return read.value.node === undefined ? err(`\`${name}\` names no node`) : ok(read.value.node);
}

function asOf(node: NodeId, { view, atMs }: Asked): object {
  const known = view.node(node);
  const aspects = [...(known?.aspects ?? [])].map(([aspect, { value, at, origin }]) => {
    const good = view.lastKnownGood(node, aspect, atMs);
    const since = view.versions(node, aspect).at(-1)?.fromAt ?? at;
    return {
      ...{ aspect, value: shownValue(aspect, value), origin, since: instantText(since) },
      last_known_good:
        good === undefined
          ? null
          : { value: shownValue(aspect, good.value), since: instantText(good.fromAt) },
    };
  });
  const edges = [...view.edges({ from: node }), ...view.edges({ to: node })].map(
    ({ from, to, kind, basis, lastAt }) => ({ from, to, kind, basis, last: instantText(lastAt) }),
  );
  return {
    node,
    kind: known?.kind ?? null,
    ...bounded("aspects", aspects),
    ...bounded("edges", edges),
  };
}

function neighbours(node: NodeId, { view, args }: Asked): object {
  const { direction = "both", kinds, depth = 1 } = args;
  const found = view.neighbours(node, {
    direction: direction as "out" | "in" | "both",
    depth: Number(depth),
    ...(kinds === undefined ? {} : { kinds: kinds as never }),
  });
  return { node, ...bounded("neighbours", found) };
}

function history(asked: Asked): Result<object, string> {
  const { view, args, atMs } = asked;
  const since = readMoment(String(args["since"] ?? "24h"), atMs);
  if (!since.ok) return err(`since: ${since.error}`);
  const node = args["node"] === undefined ? ok(undefined) : nodeOf(asked);
  if (!node.ok) return node;
  const range = { fromAt: since.value, toAt: atMs + 1 };
  const events = [
    ...view.changes(range, node.value === undefined ? {} : { node: node.value }),
    ...view.alerts(range, node.value),
    ...view.conditions(range, node.value),
    ...view.actions(range, node.value),
  ].sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
  const told = events.map(({ at, knownAt, ...event }) => ({
    at: instantText(at),
    known_at: instantText(knownAt),
    ...event,
  }));
  return ok({ node: node.value ?? null, ...bounded("events", told) });
}

function bounded(name: string, items: readonly object[]): object {
  const left = items.length - itemsMax;
  return { [name]: items.slice(0, itemsMax), ...(left > 0 ? { [`${name}_left_out`]: left } : {}) };
}
