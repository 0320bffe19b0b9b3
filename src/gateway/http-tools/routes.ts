/** Method and path to tool. A path template wins over another by its leftmost segment that is more literal (OpenAPI 3). */
import { err, foldName, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Effect } from "../../policy/index.ts";
import { readPath } from "./target.ts";

/** What a declared parameter is written as in the URL; absent means text. */
export type ParameterType = "string" | "integer" | "number" | "boolean";

export interface HttpRoute {
  /** Upper case. */
  readonly method: string;
  /** `/repos/{owner}/{repo}/issues`: at most one `{name}` in a segment, with literal text around it. Written as in a URL. */
  readonly template: string;
  /** Read for GET, HEAD and OPTIONS, else write, unless said here. */
  readonly effect?: Effect;
  readonly description?: string;
  /** JSON Schema of `{ path, query, body }`. */
  readonly argsSchema?: JsonObject;
  readonly pathTypes?: Readonly<Record<string, ParameterType>>;
  readonly queryTypes?: Readonly<Record<string, ParameterType | readonly [ParameterType]>>;
}

type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "variable";
      readonly name: string;
      readonly prefix: string;
      readonly suffix: string;
    };

interface PathEntry {
  readonly template: string;
  readonly segments: readonly Segment[];
  readonly byMethod: Map<string, HttpRoute>;
}

export type RouteMatch =
  | {
      readonly kind: "route";
      readonly route: HttpRoute;
      readonly path: Readonly<Record<string, string>>;
    }
  | { readonly kind: "wrong_method"; readonly allowed: readonly string[] }
  | { readonly kind: "none" };

export interface RouteTable {
  match(method: string, segments: readonly string[]): RouteMatch;
  readonly routes: readonly HttpRoute[];
}

/** Builds a table. The errors name each template that cannot be used, and each pair that could not be told apart. */
export function routeTable(routes: readonly HttpRoute[]): Result<RouteTable, readonly string[]> {
  const problems: string[] = [];
  const byShape = new Map<string, PathEntry>();
  for (const route of routes) {
    const segments = readTemplate(route.template);
    if (!segments.ok) {
      problems.push(`${route.method} ${route.template}: ${segments.error}`);
      continue;
    }
    const problem = place(byShape, route, segments.value);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) return err(problems);
  const byLength = new Map<number, PathEntry[]>();
  for (const entry of byShape.values()) {
    const { length } = entry.segments;
    byLength.set(length, [...(byLength.get(length) ?? []), entry]);
  }
  for (const entries of byLength.values()) entries.sort(compareSpecificity);
  return ok({ routes, match: (method, segments) => find(byLength, method, segments) });
}

function place(
  byShape: Map<string, PathEntry>,
  route: HttpRoute,
  segments: readonly Segment[],
): string | undefined {
  const shape = JSON.stringify(
    segments.map((s) => (s.kind === "literal" ? s.text : [s.prefix, s.suffix])),
  );
  const entry = byShape.get(shape) ?? { template: route.template, segments, byMethod: new Map() };
  if (entry.template !== route.template) {
    return `${route.template} and ${entry.template} match the same paths; keep one`;
  }
  if (entry.byMethod.has(route.method)) {
    return `${route.method} ${route.template} is listed twice; keep one`;
  }
  entry.byMethod.set(route.method, route);
  byShape.set(shape, entry);
  return undefined;
}

function find(
  byLength: ReadonlyMap<number, readonly PathEntry[]>,
  method: string,
  segments: readonly string[],
): RouteMatch {
  for (const entry of byLength.get(segments.length) ?? []) {
    const path = bind(entry.segments, segments);
    // An upstream whose router does not heed case would act on this route, not on a later one with a variable there.
    if (path === undefined && bind(folded(entry.segments), segments.map(foldName)) !== undefined)
      return { kind: "none" };
    if (path === undefined) continue;
    const route =
      entry.byMethod.get(method) ?? (method === "HEAD" ? entry.byMethod.get("GET") : undefined);
    return route === undefined
      ? { kind: "wrong_method", allowed: [...entry.byMethod.keys()].sort() }
      : { kind: "route", route, path };
  }
  return { kind: "none" };
}

function folded(template: readonly Segment[]): readonly Segment[] {
  return template.map((part) =>
    part.kind === "literal"
      ? { ...part, text: foldName(part.text) }
      : { ...part, prefix: foldName(part.prefix), suffix: foldName(part.suffix) },
  );
}

/** The variables' values, or undefined when the path does not fit. A variable is never empty. */
function bind(
  template: readonly Segment[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const path: Record<string, string> = Object.create(null);
  for (const [at, part] of template.entries()) {
    const text = segments[at] ?? "";
    if (part.kind === "literal") {
      if (part.text !== text) return undefined;
      continue;
    }
    const { prefix, suffix, name } = part;
    if (text.length <= prefix.length + suffix.length) return undefined;
    if (!text.startsWith(prefix) || !text.endsWith(suffix)) return undefined;
    path[name] = text.slice(prefix.length, text.length - suffix.length);
  }
  return path;
}

/** The inverse of `bind`: the segments of a template filled with judged values; undefined when one is missing or empty. */
export function fillTemplate(
  template: string,
  value: (name: string) => string | undefined,
): readonly string[] | undefined {
  const segments = readTemplate(template);
  if (!segments.ok) return undefined;
  const filled: string[] = [];
  for (const part of segments.value) {
    if (part.kind === "literal") filled.push(part.text);
    else {
      const text = value(part.name);
      if (text === undefined || text === "") return undefined;
      filled.push(part.prefix + text + part.suffix);
    }
  }
  return filled;
}

const variable = /^([^{}]*)\{([A-Za-z_][\w.-]*)\}([^{}]*)$/;

function readTemplate(template: string): Result<readonly Segment[], string> {
  if (!template.startsWith("/")) return err("a path template begins with `/`");
  const segments: Segment[] = [];
  const names = new Set<string>();
  for (const piece of template.slice(1).split("/")) {
    const found = variable.exec(piece);
    const [, prefix = "", name = "", suffix = ""] = found ?? [];
    if (found === null && /[{}]/.test(piece)) {
      return err(`the segment ${JSON.stringify(piece)} must hold one \`{name}\``);
    }
    if (found !== null && names.has(name)) return err(`{${name}} occurs twice`);
    names.add(name);
    segments.push(
      found === null
        ? { kind: "literal", text: decode(piece) }
        : { kind: "variable", name, prefix: decode(prefix), suffix: decode(suffix) },
    );
  }
  const plain = readPath(template.replaceAll(/\{[^{}]*\}/g, "x"));
  return plain.ok ? ok(segments) : err(`it holds ${plain.error}`);
}

/** Literal text of a template is written as in a URL. What does not decode is refused with the whole template. */
function decode(literal: string): string {
  const read = readPath(`/${literal}`);
  return read.ok ? (read.value[0] ?? "") : literal;
}

/** Leftmost difference decides: literal, then more literal text around the variable, then a bare variable. */
function compareSpecificity(a: PathEntry, b: PathEntry): number {
  const weight = (part: Segment | undefined): number =>
    part?.kind === "variable" ? part.prefix.length + part.suffix.length : Number.POSITIVE_INFINITY;
  for (const [at, part] of a.segments.entries()) {
    const [left, right] = [weight(part), weight(b.segments[at])];
    if (left !== right) return left > right ? -1 : 1;
  }
  return a.template < b.template ? -1 : 1;
}
