/** From the files of a policy folder to a checked set. Every fault of every file is reported; one error loads nothing. */
import type { JsonObject, ToolId } from "../kernel/index.ts";
import { checkAbsence } from "./absence.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import {
  type Diagnostic,
  diagnosticAt,
  type Position,
  type Problem,
  sortDiagnostics,
} from "./diagnostic.ts";
import { type PolicySet, policySetFormat, type Rule } from "./ir.ts";
import { readEscrow } from "./read-escrow.ts";
import { readLimits } from "./read-limit.ts";
import type { RegoBundles } from "./read-rego.ts";
import { readRule } from "./read-rule.ts";
import type { RegoModules } from "./rego-modules.ts";
import { policyFile, type SourceFile, type SourceRule } from "./source.ts";
import { parseSource } from "./yaml.ts";

export interface PolicyFile {
  /** As people know it: relative, `/`-separated. */
  readonly path: string;
  readonly text: string;
}

export interface LoadOptions {
  /** Input schemas of tools, where known: `args.x` is then checked against them. */
  readonly toolSchemas?: ReadonlyMap<ToolId, JsonObject>;
  /** Users' own Rego in the folder. */
  readonly regoBundles?: RegoBundles;
}

export interface Loaded {
  /** Absent when there is any error. */
  readonly set?: PolicySet;
  /** Of all usable Rego bundles; a bundle of the set takes those that it needs. */
  readonly modules: RegoModules;
  /** Errors and warnings of all files, by file and place. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reports against one file. */
interface InFile {
  readonly file: string;
  report(at: Position, problem: Problem): void;
}

/**
 * Parses, checks and types a policy folder. Pure. The set is ordered by id, so the order of files and rules changes
 * nothing; `Rule.source` keeps `file:line`.
 */
export function loadPolicySet(files: readonly PolicyFile[], options: LoadOptions = {}): Loaded {
  const diagnostics: Diagnostic[] = [];
  const sources = files.flatMap((file) => {
    const read = readFile(file, diagnostics);
    return read ? [read] : [];
  });
  const catalog = readCatalog(sources, options.toolSchemas ?? new Map());
  const regoBundles: RegoBundles = options.regoBundles ?? new Map();
  const rules = readRules(sources, catalog, regoBundles);
  const limits = readLimits(sources, catalog);
  const escrow = readEscrow(sources, catalog);
  const sorted = sortDiagnostics(diagnostics);
  const modules = modulesOf(regoBundles);
  if (sorted.some(({ severity }) => severity === "error")) return { modules, diagnostics: sorted };
  const set: PolicySet = {
    formatVersion: policySetFormat,
    rules: byId(rules),
    tools: byId([...catalog.tools.values()]),
    limits,
    ...(escrow.length === 0 ? {} : { escrow }),
  };
  return { set, modules, diagnostics: sorted };
}

interface ReadSource extends InFile {
  readonly source: SourceFile;
}

function readFile(file: PolicyFile, diagnostics: Diagnostic[]): ReadSource | undefined {
  const parsed = parseSource(file.path, file.text);
  diagnostics.push(...parsed.diagnostics);
  const report = (at: Position, problem: Problem): void => {
    diagnostics.push(diagnosticAt(file.path, at, problem));
  };
  const source = parsed.root && policyFile(parsed.root, report);
  if (!parsed.root && parsed.diagnostics.length === 0)
    report({ line: 1, column: 1 }, { severity: "warning", code: "empty", message: "empty file" });
  return source && { file: file.path, report, source };
}

function modulesOf(bundles: RegoBundles): RegoModules {
  const usable = [...bundles.values()].flatMap((bundle) => (bundle.ok ? [bundle.value] : []));
  return new Map(usable.map(({ digest, wasm, data }) => [digest, { wasm, data }]));
}

function readRules(
  sources: readonly ReadSource[],
  catalog: Catalog,
  regoBundles: RegoBundles,
): readonly Rule[] {
  const policies = new Map<string, string>();
  const seen = new Map<string, string>();
  const placed = sources.flatMap((source) => {
    const policy = policyName(source, policies);
    return (source.source.rules ?? []).flatMap((rule) => {
      reportRepeatedId(source, rule, policy, seen);
      const read = readRule(source, policy, rule, catalog, regoBundles);
      const at = rule.when?.at ?? rule.at;
      return read ? [{ rule: read, at, report: source.report }] : [];
    });
  });
  checkAbsence(placed);
  return placed.map(({ rule }) => rule);
}

/** A file with rules names its policy, and no other file has the name. */
function policyName(read: ReadSource, policies: Map<string, string>): string {
  const { policy, rules, at } = read.source;
  if (!policy) {
    if (rules)
      read.report(at, {
        code: "missing-field",
        message: "a file with rules needs policy: its name",
      });
    return "";
  }
  const other = policies.get(policy.value);
  if (other !== undefined)
    read.report(policy.at, {
      code: "duplicate-id",
      message: `the policy ${policy.value} is also in ${other}`,
    });
  policies.set(policy.value, read.file);
  return policy.value;
}

function reportRepeatedId(
  read: ReadSource,
  rule: SourceRule,
  policy: string,
  seen: Map<string, string>,
): void {
  if (!rule.id) return;
  const id = `${policy}/${rule.id.value}`;
  const first = seen.get(id);
  if (first === undefined) seen.set(id, `${read.file}:${rule.id.at.line}`);
  else
    read.report(rule.id.at, {
      code: "duplicate-id",
      message: `the rule ${id} is already at ${first}`,
    });
}

function byId<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => (a.id < b.id ? -1 : 1));
}
