/** Faults of a YAML file whose value a schema checked, each with its place in the file. */

import type { SchemaProblem } from "../adapters/json-schema/index.ts";
import {
  type Diagnostic,
  diagnosticAt,
  nearestWord,
  type Position,
  type Problem,
  type SourceNode,
} from "../policy/index.ts";

export type Path = readonly string[];

/** Collects what is wrong, each with its place: that of the nearest thing on the path that is really in the file. */
export class Findings {
  readonly found: Diagnostic[] = [];
  readonly #file: string;
  readonly #root: SourceNode;

  constructor(file: string, root: SourceNode) {
    this.#file = file;
    this.#root = root;
  }

  /** `key` points at the key itself, not at its value. */
  report(path: Path, problem: Problem, key?: string): void {
    this.found.push(diagnosticAt(this.#file, this.#positionOf(path, key), problem));
  }

  reportSchema(problem: SchemaProblem): void {
    const { path, keyword, message, unknownKey, allowed } = problem;
    const word = unknownKey ?? this.#scalarAt(path);
    const nearest =
      allowed === undefined || word === undefined ? undefined : nearestWord(word, allowed);
    const hint =
      keyword === "additionalProperties" && allowed !== undefined && nearest === undefined
        ? `valid here: ${allowed.join(", ")}`
        : undefined;
    const where = path.length === 0 ? "" : `${path.join(".")}: `;
    this.report(path, { code: keyword, message: where + message, nearest, hint }, unknownKey);
  }

  #scalarAt(path: Path): string | undefined {
    let node: SourceNode | undefined = this.#root;
    for (const step of path) node = node === undefined ? undefined : childOf(node, step)?.node;
    return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
  }

  #positionOf(path: Path, key: string | undefined): Position {
    let node = this.#root;
    let at = node.at;
    for (const step of path) {
      const child = childOf(node, step);
      if (child === undefined) return at;
      node = child.node;
      at = child.node.kind === "scalar" ? child.node.at : child.at;
    }
    return key === undefined ? at : (childOf(node, key)?.at ?? at);
  }
}

/** `at` is the place of the key, or of the item. */
function childOf(
  node: SourceNode,
  step: string,
): { readonly node: SourceNode; readonly at: Position } | undefined {
  if (node.kind === "list") {
    const item = node.items[Number(step)];
    return item && { node: item, at: item.at };
  }
  if (node.kind !== "map") return undefined;
  const entry = node.entries.find(({ key }) => key === step);
  return entry && { node: entry.value, at: entry.keyAt };
}
