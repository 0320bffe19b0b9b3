/** Known tools as policy sees them. */
import { readPolicyFolder } from "../adapters/policy-folder/index.ts";
import { type ResolvedTool, resolveTool } from "../gateway/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import {
  compile,
  formatDiagnostic,
  loadPolicySet,
  type PolicySet,
  type Reach,
  reachOf,
} from "../policy/index.ts";
import type { Config } from "./config-types.ts";
import { type KnownTool, knownTools, schemasOf } from "./known-tools.ts";
import { regoBundlesOf } from "./policy-rego.ts";

/** A known tool as policy sees it. */
export interface ListedTool extends KnownTool {
  readonly resolved: ResolvedTool;
  readonly reach: Reach;
}

export interface Listing {
  readonly tools: readonly ListedTool[];
  readonly problems: readonly string[];
}

/** The error is lines for people: why the policies cannot be read. */
export async function listing(config: Config): Promise<Result<Listing, readonly string[]>> {
  if (config.policies === undefined)
    return err(["the policies come in a bundle (bundle.url); ask where their folder is"]);
  const known = await knownTools(config);
  const folder = await readPolicyFolder(config.policies);
  if (!folder.ok) return err([`cannot read ${folder.error.path}: ${folder.error.code}`]);
  // An empty folder is where a new user begins: nothing is declared, nothing is allowed.
  const { set, diagnostics } = loadPolicySet(folder.value.policies, {
    toolSchemas: schemasOf(known.tools),
    regoBundles: await regoBundlesOf(folder.value.archives),
  });
  if (set === undefined)
    return err([...diagnostics.map(formatDiagnostic), "the policies do not load"]);
  return ok({ tools: listedTools(known.tools, set), problems: known.problems });
}

/** Those known, and those that are only declared, in order of their ids. */
function listedTools(known: readonly KnownTool[], set: PolicySet): readonly ListedTool[] {
  const engine = compile(set, "");
  const ids = new Set(known.map(({ id }) => id));
  const declared = set.tools.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id }));
  const all: readonly KnownTool[] = [...known, ...declared];
  return all
    .map((tool) => {
      const resolved = resolveTool(engine, tool.id, tool.definition, tool.effectHint);
      return { ...tool, resolved, reach: reachOf(set, tool.id, resolved.effect) };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
