/**
 * YAML 1.2 (and so JSON) as a tree with places. Stricter than the format: no anchors, aliases, tags, directives, merge
 * keys or repeated keys, only string keys, only numbers that JSON keeps exactly. What a reviewer reads is all there is.
 */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  parseAllDocuments,
  parseDocument,
  type Scalar,
  stringify,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { isWellFormed } from "../kernel/index.ts";
import { type Diagnostic, diagnosticAt, type Position, type Problem } from "./diagnostic.ts";

interface SourceMap {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: readonly SourceEntry[];
}

interface SourceEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: SourceNode;
}

interface SourceList {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly SourceNode[];
}

export interface SourceScalar {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
  /** Where a character of a string value stands in the file, through quotes, escapes, folding and indentation. */
  positionOf(offset: number): Position;
}

export type SourceNode = SourceMap | SourceList | SourceScalar;

export interface ParsedSource {
  /** Absent when the file is empty or too broken to have a tree. */
  readonly root?: SourceNode;
  readonly diagnostics: readonly Diagnostic[];
}

const depthMax = 64;
const fileCharactersMax = 1_048_576;

/** Parses one file. Every fault is reported; the tree holds what could be read besides. */
export function parseSource(file: string, text: string): ParsedSource {
  const diagnostics: Diagnostic[] = [];
  const lines = new LineCounter();
  const locate = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, problem: Problem): void => {
    diagnostics.push(diagnosticAt(file, locate(offset), problem));
  };
  if (text.length > fileCharactersMax) {
    report(0, { code: "too-large", message: `the file is over ${fileCharactersMax} characters` });
    return { diagnostics };
  }
  const directive = directiveIn(text);
  if (directive !== undefined) {
    const problem = {
      code: "yaml",
      message: "directives (lines that begin with %) are not allowed",
      hint: "leave it out: a policy is YAML 1.2",
    };
    return { diagnostics: [diagnosticAt(file, directive, problem)] };
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: false,
    schema: "core",
    merge: false,
  });
  // What follows a syntax error is guesswork: only the first is said, and the tree is not used.
  const [broken] = document.errors;
  if (broken) report(broken.pos[0], syntaxProblem(broken));
  if (broken) return { diagnostics };
  for (const warning of document.warnings) report(warning.pos[0], syntaxProblem(warning));
  const root = document.contents
    ? readNode(document.contents, { text, locate, report }, 0)
    : undefined;
  return root === undefined ? { diagnostics } : { root, diagnostics };
}

/**
 * Where the first directive stands. One could make the rest of the file mean something else (`%YAML 1.1`), and the
 * library reads some that are not valid, such as a repeated one.
 */
function directiveIn(text: string): Position | undefined {
  if (!/^\uFEFF?%/m.test(text)) return undefined;
  const lines = new LineCounter();
  for (const token of new Parser(lines.addNewLine).parse(text))
    if (token.type === "directive") return { line: lines.linePos(token.offset).line, column: 1 };
  return undefined;
}

function syntaxProblem(error: YAMLError): Problem {
  if (error.code === "MULTIPLE_DOCS")
    return {
      code: "yaml",
      message: "a file holds one document",
      hint: "put what follows --- into a file of its own",
    };
  const tooDeep = error.message.startsWith("Maximum call stack");
  return { code: "yaml", message: tooDeep ? `nesting is over ${depthMax} deep` : error.message };
}

interface Reading {
  readonly text: string;
  locate(offset: number): Position;
  report(offset: number, problem: Problem): void;
}

function readNode(node: Node, reading: Reading, depth: number): SourceNode | undefined {
  const start = node.range?.[0] ?? 0;
  const at = reading.locate(start);
  const refuse = (message: string, hint?: string): undefined => {
    reading.report(start, { code: "yaml", message, hint });
    return undefined;
  };
  if (depth > depthMax) return refuse(`nesting is over ${depthMax} deep`);
  if (isAlias(node) || node.anchor !== undefined)
    return refuse("anchors and aliases are not allowed", "write the value out where it applies");
  if (node.tag !== undefined) return refuse(`the tag ${node.tag} is not allowed`);
  if (isMap<Node, Node | null>(node)) {
    const entries = node.items.flatMap((pair) => readEntry(pair, reading, depth));
    reportRepeatedKeys(node, reading);
    return { kind: "map", at, entries };
  }
  if (isSeq<Node>(node)) {
    const items = node.items.flatMap((item) => readNode(item, reading, depth + 1) ?? []);
    return { kind: "list", at, items };
  }
  return isScalar(node) ? readScalar(node, reading, start) : refuse("this cannot be read");
}

/** In linear time, which the library's own check is not. */
function reportRepeatedKeys(map: YAMLMap<Node, Node | null>, reading: Reading): void {
  const seen = new Set<unknown>();
  for (const { key } of map.items) {
    const name = isScalar(key) ? key.value : key;
    if (seen.has(name))
      reading.report(key.range?.[0] ?? 0, {
        code: "duplicate-key",
        message: `the key ${String(name)} stands twice in the same map`,
      });
    seen.add(name);
  }
}

function readEntry(pair: Pair<Node, Node | null>, reading: Reading, depth: number): SourceEntry[] {
  const keyStart = pair.key.range?.[0] ?? 0;
  const key = isScalar(pair.key) ? pair.key.value : undefined;
  if (typeof key !== "string") {
    reading.report(keyStart, {
      code: "yaml",
      message: "a key must be a string",
      hint: "put it in quotes",
    });
    return [];
  }
  const keyAt = reading.locate(keyStart);
  const value = pair.value
    ? readNode(pair.value, reading, depth + 1)
    : ({ kind: "scalar", at: keyAt, value: null, positionOf: () => keyAt } as const);
  return value === undefined ? [] : [{ key, keyAt, value }];
}

function readScalar(node: Scalar, reading: Reading, start: number): SourceScalar | undefined {
  const { value } = node;
  const at = reading.locate(start);
  if (typeof value === "number" && !isExact(value)) {
    reading.report(start, {
      code: "number",
      message: "this number cannot be kept exactly",
      hint: "whole numbers go up to 9007199254740991; write larger ones as strings",
    });
    return undefined;
  }
  if (typeof value === "string" && isWellFormed(value)) {
    const offsets = (): readonly number[] => alignScalar(reading.text, node, value);
    return {
      kind: "scalar",
      at,
      value,
      positionOf: (offset) => reading.locate(offsets()[offset] ?? start),
    };
  }
  if (value === null || typeof value === "number" || typeof value === "boolean")
    return { kind: "scalar", at, value, positionOf: () => at };
  reading.report(start, { code: "yaml", message: "this value cannot be read" });
  return undefined;
}

function isExact(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

/**
 * For each character of a string's value (and for its end), its offset in the file. Apart from escapes, the characters
 * of a scalar stand in the file in their order, with more or other white space between them.
 */
function alignScalar(text: string, node: Scalar, value: string): readonly number[] {
  const double = node.type === "QUOTE_DOUBLE";
  const single = node.type === "QUOTE_SINGLE";
  let at = contentStart(text, node);
  const offsets: number[] = [];
  for (const character of value.split("")) {
    if (!isBlank(character)) at = skipBlanks(text, at);
    if (double) at = skipContinuation(text, at);
    offsets.push(at);
    at += writtenLength(text, at, character, double, single);
  }
  return [...offsets, at];
}

function contentStart(text: string, node: Scalar): number {
  const start = node.range?.[0] ?? 0;
  if (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE") return start + 1;
  const block = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
  return block ? text.indexOf("\n", start) + 1 : start;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text[at])) at++;
  return at;
}

/** A backslash at the end of a line joins it to the next and stands for nothing. */
function skipContinuation(text: string, from: number): number {
  let at = from;
  while (text[at] === "\\" && text[at + 1] === "\n") at = skipBlanks(text, at + 2);
  return at;
}

/** How many characters of the file stand for one character of the value. */
function writtenLength(
  text: string,
  at: number,
  character: string,
  double: boolean,
  single: boolean,
): number {
  if (double && text[at] === "\\") return escapeLength(text[at + 1]);
  if (single && text[at] === "'") return 2;
  return isBlank(character) && !isBlank(text[at]) ? 0 : 1;
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t" || character === "\n" || character === "\r";
}

function escapeLength(kind: string | undefined): number {
  if (kind === "x") return 4;
  if (kind === "u") return 6;
  return kind === "U" ? 10 : 2;
}

const foreignCharactersMax = 64 * 1_048_576;
const foreignNodesMax = 1_000_000;

export interface ParsedDocuments {
  readonly roots: readonly SourceNode[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The documents of a YAML (or JSON) file of other programs, read as those read it: several documents, anchors, aliases,
 * merge keys and tags are allowed. For looking at, never for what is judged. The places are those of the file.
 */
export function parseForeignYaml(file: string, text: string): ParsedDocuments {
  const refused = (at: Position, message: string): ParsedDocuments => ({
    roots: [],
    diagnostics: [diagnosticAt(file, at, { code: "yaml", message })],
  });
  const start = { line: 1, column: 1 };
  if (text.length > foreignCharactersMax)
    return refused(start, "the file is over 64 Mi characters");
  const lines = new LineCounter();
  const locate = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = parseAllDocuments(text, {
    ...{
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      logLevel: "silent",
    },
  });
  const all = Array.isArray(documents) ? documents : [];
  const broken = all.flatMap(({ errors }) => errors)[0];
  if (broken) return refused(locate(broken.pos[0]), broken.message);
  let left = foreignNodesMax;
  const targets = new Map<Node, Node | undefined>();
  /** Looking an alias up walks the documents, so each is looked up once. */
  const targetOf = (alias: Alias): Node | undefined => {
    if (!targets.has(alias)) {
      const found = all.map((document) => alias.resolve(document)).find((target) => target);
      targets.set(alias, found);
    }
    return targets.get(alias);
  };
  const foreign = (node: Node, depth: number): SourceNode => {
    const at = locate(node.range?.[0] ?? 0);
    const nothing: SourceNode = { kind: "scalar", at, value: null, positionOf: () => at };
    if (left-- < 0 || depth > 2 * depthMax) return nothing;
    if (isAlias(node)) {
      const target = targetOf(node);
      return target === undefined ? nothing : foreign(target, depth + 1);
    }
    if (isSeq<Node>(node))
      return { kind: "list", at, items: node.items.map((item) => foreign(item, depth + 1)) };
    if (isMap<Node, Node | null>(node)) return { kind: "map", at, entries: entriesOf(node, depth) };
    const value = isScalar(node) ? (node.value as SourceScalar["value"]) : null;
    return { kind: "scalar", at, value, positionOf: () => at };
  };
  const entriesOf = (map: YAMLMap<Node, Node | null>, depth: number): SourceEntry[] =>
    map.items.flatMap((pair) => {
      const keyAt = locate(pair.key.range?.[0] ?? 0);
      const key = isScalar(pair.key) ? String(pair.key.value) : "";
      const empty = { kind: "scalar", at: keyAt, value: null, positionOf: () => keyAt } as const;
      const value = pair.value ? foreign(pair.value, depth + 1) : empty;
      if (key !== "<<") return [{ key, keyAt, value }];
      return value.kind === "map" ? value.entries : [];
    });
  const roots = all.flatMap(({ contents }) => (contents ? [foreign(contents, 0)] : []));
  if (left < 0) return refused(start, `the file stands for over ${foreignNodesMax} values`);
  return { roots, diagnostics: [] };
}

/** YAML of a value, the same text for the same value: members in their order, no line is folded. */
export function writeYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
