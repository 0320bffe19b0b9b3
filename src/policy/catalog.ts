/** What the files declare about tools and agents, and what is known of tools from their own schemas. */
import type { JsonObject, ToolId } from "../kernel/index.ts";
import { type Diagnostic, nearestWord, type Position, type Problem } from "./diagnostic.ts";
import { globMatcher } from "./glob.ts";
import type { Effect, ToolDeclaration } from "./ir.ts";
import type { SourceFile, SourceTool } from "./source.ts";
import { readTarget } from "./target.ts";
import { readTokenEstimate } from "./token-estimate.ts";
import { anyType, join, type Type, typeOfSchema } from "./types.ts";

type Report = (at: Position, problem: Problem) => void;

interface Source {
  readonly file: Diagnostic["file"];
  readonly source: SourceFile;
  readonly report: Report;
}

export interface Catalog {
  readonly tools: ReadonlyMap<ToolId, ToolDeclaration>;
  /** Every tool that is declared or described; undefined when none is, and names cannot be checked. */
  readonly toolNames: ReadonlySet<string> | undefined;
  /** Declared agents and patterns of agents; undefined when none is. */
  readonly agentNames: ReadonlySet<string> | undefined;
  readonly schemas: ReadonlyMap<ToolId, JsonObject>;
}

export function readCatalog(
  sources: readonly Source[],
  schemas: ReadonlyMap<ToolId, JsonObject>,
): Catalog {
  const tools = new Map<ToolId, ToolDeclaration>();
  const agents = new Set<string>();
  for (const { source, report } of sources) {
    for (const tool of source.tools ?? []) {
      reportRepeated(tools.has(tool.name as ToolId), "tool", tool, report);
      tools.set(tool.name as ToolId, toolDeclaration(tool, schemas, report));
    }
    for (const agent of source.agents ?? []) {
      reportRepeated(agents.has(agent.name), "agent", agent, report);
      agents.add(agent.name);
    }
  }
  const toolNames = new Set<string>([...tools.keys(), ...schemas.keys()]);
  const agentNames = new Set([...agents].filter((name) => name !== "*"));
  return {
    tools,
    toolNames: toolNames.size > 0 ? toolNames : undefined,
    agentNames: agentNames.size > 0 ? agentNames : undefined,
    schemas,
  };
}

function reportRepeated(
  repeated: boolean,
  what: string,
  { name, at }: { readonly name: string; readonly at: Position },
  report: Report,
): void {
  if (repeated)
    report(at, { code: "duplicate-id", message: `the ${what} ${name} is declared twice` });
}

function toolDeclaration(
  tool: SourceTool,
  schemas: ReadonlyMap<ToolId, JsonObject>,
  report: Report,
): ToolDeclaration {
  const { effect = "write", risk = "high", cost_estimate_micro_usd, on_failure } = tool.value;
  const opens = on_failure?.value === "open";
  if (opens && (effect !== "write" || risk !== "low"))
    report(on_failure.at, {
      code: "cannot-open",
      message: "on_failure: open of a tool is only for a write of risk low",
      hint:
        effect === "read"
          ? "for a read, say on_failure: open in the rule"
          : "a write whose policy cannot be evaluated is denied",
    });
  const schema = schemas.get(tool.name as ToolId);
  const args = schema ? typeOfSchema(schema) : anyType;
  const tokens = readTokenEstimate(tool.value, args, report);
  const target = readTarget(tool.value, args, report);
  return {
    id: tool.name as ToolId,
    effect,
    risk,
    costMicroUsd: cost_estimate_micro_usd ?? 0,
    ...(tokens ? { tokens } : {}),
    openOnFailure: opens,
    ...(target ? { target } : {}),
  };
}

/** A name in `match` that fits nothing known is a mistake: its rule would silently never apply. */
export function toolPatternProblem(
  value: string,
  effect: Effect | undefined,
  catalog: Catalog,
): Problem | undefined {
  const star = value.includes("*");
  if (!star && !value.includes(":"))
    return {
      code: "bad-name",
      message: `${JSON.stringify(value)} is not a tool id (server:tool)`,
      nearest: nearestWord(value, catalog.toolNames ?? []),
    };
  if (!catalog.toolNames || !isJudgeable(value, catalog)) return undefined;
  const fitting = [...catalog.toolNames].filter(globMatcher(value));
  if (fitting.length === 0)
    return {
      ...(star ? { severity: "warning" as const } : {}),
      code: "unknown-tool",
      message: star ? `no known tool fits ${value}` : `there is no tool ${value} in the catalog`,
      nearest: nearestWord(value, catalog.toolNames),
      ...(star
        ? {}
        : { hint: "if the server has it and has not listed it yet, declare it under tools:" }),
    };
  const declared = fitting.flatMap((name) => catalog.tools.get(name as ToolId) ?? []);
  if (effect && declared.length === fitting.length && !declared.some((t) => t.effect === effect))
    return {
      code: "never-matches",
      message: `${value} is no ${effect} in the catalog, so the rule never applies to it`,
    };
  return undefined;
}

/**
 * Whether a name can be told to be wrong. Where people declare their tools, every name can. Where nothing is declared,
 * only those of a server that described its tools: of the others nothing is known.
 */
function isJudgeable(pattern: string, { tools, toolNames }: Catalog): boolean {
  if (tools.size > 0) return true;
  const colon = pattern.indexOf(":");
  const server = pattern.slice(0, colon + 1);
  return (
    colon > 0 && !server.includes("*") && [...(toolNames ?? [])].some((n) => n.startsWith(server))
  );
}

export function agentPatternProblem(pattern: string, catalog: Catalog): Problem | undefined {
  if (!catalog.agentNames || pattern === "*") return undefined;
  const names = [...catalog.agentNames];
  const fits = globMatcher(pattern);
  if (names.some((name) => fits(name) || globMatcher(name)(pattern))) return undefined;
  return {
    code: "unknown-agent",
    message: `no declared agent fits ${pattern}`,
    nearest: nearestWord(pattern, names),
    hint: "declare it under agents:",
  };
}

/** The arguments of the tools that a rule looks at, as far as every one of them has a schema. */
export function argsOf(
  patterns: readonly string[] | undefined,
  effect: Effect | undefined,
  catalog: Catalog,
): Type {
  if (!patterns || !catalog.toolNames) return anyType;
  if (!patterns.every((pattern) => isJudgeable(pattern, catalog))) return anyType;
  const matchers = patterns.map(globMatcher);
  const types = [...catalog.toolNames]
    .filter((name) => matchers.some((fits) => fits(name)))
    .filter((name) => {
      const declared = catalog.tools.get(name as ToolId)?.effect;
      return effect === undefined || declared === undefined || declared === effect;
    })
    .map((name) => catalog.schemas.get(name as ToolId))
    .map((schema): Type => (schema ? typeOfSchema(schema) : anyType));
  const [first, ...rest] = types;
  return first ? rest.reduce(join, first) : anyType;
}
