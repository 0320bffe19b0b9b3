/** Everything about one node at a moment, for people and for programs. */
import { instantText, type JsonObject } from "../../kernel/index.ts";
import { incidentAspect, type Neighbour, type View } from "../../model/index.ts";
import { timesAsText } from "./times-as-text.ts";
import { visible } from "./visible.ts";

const listMax = 20;
const valueCharactersMax = 160;

export interface NodeShown {
  readonly id: string;
  readonly as_of: string;
  readonly aspects: Readonly<
    Record<
      string,
      { readonly value: JsonObject | null; readonly since: string; readonly source: string }
    >
  >;
  /** What it leads to, and what leads to it. */
  readonly out: readonly Neighbour[];
  readonly in: readonly Neighbour[];
  readonly changes: readonly {
    readonly at: string;
    readonly title: string;
    readonly change: string;
  }[];
  readonly alerts: readonly { readonly since: string; readonly title: string }[];
  readonly conditions: readonly {
    readonly at: string;
    readonly name: string;
    readonly status: string;
    readonly message: string;
  }[];
}

/** What a source wrote is shown as it is; a confirmed incident is ours, and its times are text as all that we tell. */
export function shownValue(aspect: string, value: JsonObject | null): JsonObject | null {
  return aspect === incidentAspect && value !== null ? timesAsText(value) : value;
}

/** Undefined when nothing is known of it. */
export function nodeShown(view: View, id: string): NodeShown | undefined {
  const node = view.node(id);
  if (node === undefined) return undefined;
  const aspects = [...node.aspects].map(([name, { value, at, origin }]) => {
    const source = `${origin.source} ${origin.reference}`;
    // A source that repeats itself says nothing new.
    const since = view.versions(id, name).at(-1)?.fromAt ?? at;
    return [name, { value: shownValue(name, value), since: instantText(since), source }] as const;
  });
  return {
    id,
    as_of: instantText(view.validAt),
    aspects: Object.fromEntries(aspects),
    out: view.neighbours(id, { direction: "out" }),
    in: view.neighbours(id, { direction: "in" }),
    changes: view
      .changes({}, { node: id })
      .toReversed()
      .map(({ at, title, change }) => ({ at: instantText(at), title, change })),
    // Those that are open at the moment.
    alerts: view
      .alerts({ fromAt: view.validAt }, id)
      .map(({ at, title }) => ({ since: instantText(at), title })),
    conditions: view
      .conditions({}, id)
      .toReversed()
      .map(({ at, name, status, message }) => ({ at: instantText(at), name, status, message })),
  };
}

export function nodeLines(shown: NodeShown): readonly string[] {
  const edge = ({ node, kind, basis }: Neighbour): string => `${kind} (${basis}) ${node}`;
  return [
    `${visible(shown.id)} as of ${shown.as_of}`,
    ...section(
      "aspects",
      Object.entries(shown.aspects),
      ([name, { value, since, source }]) =>
        `${name} since ${since} [${source}]: ${JSON.stringify(value)}`,
    ),
    ...section("leads to", shown.out, edge),
    ...section("is led to by", shown.in, edge),
    ...section("changes, newest first", shown.changes, ({ at, title }) => `${at} ${title}`),
    ...section("open alerts", shown.alerts, ({ since, title }) => `since ${since} ${title}`),
    ...section(
      "conditions, newest first",
      shown.conditions,
      ({ at, name, status, message }) => `${at} ${name} ${status} ${message}`,
    ),
  ];
}

function section<T>(
  title: string,
  items: readonly T[],
  lineOf: (item: T) => string,
): readonly string[] {
  if (items.length === 0) return [];
  const lines = items.slice(0, listMax).map((item) => `  ${clipped(visible(lineOf(item)))}`);
  const more = items.length > listMax ? [`  and ${items.length - listMax} more (--json)`] : [];
  return [`${title}:`, ...lines, ...more];
}

function clipped(line: string): string {
  return line.length <= valueCharactersMax ? line : `${line.slice(0, valueCharactersMax - 1)}…`;
}
