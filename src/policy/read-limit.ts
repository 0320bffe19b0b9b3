/** `limits:` of a policy folder, and the short form of them that stands at an agent. */
import type { Catalog } from "./catalog.ts";
import type { Diagnostic, Position, Problem } from "./diagnostic.ts";
import { anyGlob } from "./glob.ts";
import type { Limit, LimitCap, LimitKey } from "./ir.ts";
import { readMatch } from "./read-match.ts";
import type { SourceAgent, SourceFile, SourceLimit } from "./source.ts";

interface InFile {
  readonly file: Diagnostic["file"];
  readonly source: SourceFile;
  report(at: Position, problem: Problem): void;
}

/** Each is looked at on every call. */
const limitsMax = 256;
const keyOrder: readonly LimitKey[] = ["tenant", "agent", "principal", "model", "upstream", "tool"];

/** By id. What is wrong is reported. */
export function readLimits(sources: readonly InFile[], catalog: Catalog): readonly Limit[] {
  const seen = new Map<string, string>();
  const limits = sources.flatMap((file) => {
    const declared = (file.source.limits ?? []).flatMap((source) => {
      reportRepeated(file, source, seen);
      return readLimit(file, source, catalog) ?? [];
    });
    return [
      ...declared,
      ...(file.source.agents ?? []).flatMap((agent) => agentLimits(file, agent)),
    ];
  });
  const [first] = sources;
  if (limits.length > limitsMax && first)
    first.report(
      { line: 1, column: 1 },
      {
        code: "out-of-range",
        message: `${limits.length} limits in this folder are over ${limitsMax}`,
      },
    );
  return limits.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function reportRepeated(file: InFile, { id }: SourceLimit, seen: Map<string, string>): void {
  if (!id) return;
  const first = seen.get(id.value);
  if (first === undefined) seen.set(id.value, `${file.file}:${id.at.line}`);
  else
    file.report(id.at, {
      code: "duplicate-id",
      message: `the limit ${id.value} is already at ${first}`,
    });
}

function readLimit(file: InFile, source: SourceLimit, catalog: Catalog): Limit | undefined {
  const match = readMatch(source.match, catalog, file.report);
  const cap = readCap(file, source);
  if (!source.id || !cap) return undefined;
  const each = keyOrder.filter((key) => source.each?.includes(key));
  const limit: Limit = {
    id: source.id.value,
    match,
    each,
    cap,
    source: `${file.file}:${source.at.line}`,
  };
  reportNeverFull(file, source, limit, catalog);
  return limit;
}

const amounts = ["calls_max", "budget_micro_usd", "budget_calls", "budget_tokens"] as const;
const units = {
  budget_micro_usd: "micro_usd",
  budget_calls: "calls",
  budget_tokens: "tokens",
} as const;

function readCap(file: InFile, source: SourceLimit): LimitCap | undefined {
  const given = amounts.filter((amount) => source.given.has(amount));
  const [amount] = given;
  if (amount === undefined || given.length > 1) {
    file.report(source.at, {
      code: "choice",
      message: `a limit has one of ${amounts.join(", ")}`,
      hint: "make a limit of its own for each: all of them must have room",
    });
    return undefined;
  }
  const isRate = amount === "calls_max";
  const [needed, other] = isRate
    ? (["window_seconds", "period"] as const)
    : (["period", "window_seconds"] as const);
  if (!source.given.has(needed))
    file.report(source.at, { code: "missing-field", message: `${amount} needs ${needed}` });
  const stray = source[other];
  if (stray)
    file.report(stray.at, { code: "choice", message: `${other} does not go with ${amount}` });
  const { [amount]: max, window_seconds: window, period } = source;
  if (!max) return undefined;
  if (isRate) return window && { kind: "rate", callsMax: max.value, windowSeconds: window.value };
  return period && { kind: "budget", unit: units[amount], max: max.value, period: period.value };
}

/** A budget of what no known tool has an estimate for would silently never apply. */
function reportNeverFull(
  file: InFile,
  source: SourceLimit,
  { match, cap }: Limit,
  catalog: Catalog,
): void {
  if (cap.kind === "rate" || cap.unit === "calls") return;
  const fits = anyGlob(match.tools);
  const fitting = [...catalog.tools.values()].filter(({ id }) => fits(id));
  const [costs, field] =
    cap.unit === "tokens"
      ? [fitting.some(({ tokens }) => tokens !== undefined), "token_estimate"]
      : [fitting.some(({ costMicroUsd }) => costMicroUsd > 0), "cost_estimate_micro_usd"];
  if (!costs)
    file.report(source.at, {
      severity: "warning",
      code: "never-full",
      message: `no tool that this limit looks at has a ${field}, so it counts nothing`,
      hint: `declare it under tools:`,
    });
}

/** `calls_per_minute_max` and `budget_micro_usd_per_day` of an agent, or of each agent that fits a pattern. */
function agentLimits(file: InFile, { name, at, value }: SourceAgent): readonly Limit[] {
  const { calls_per_minute_max: calls, budget_micro_usd_per_day: microUsd } = value;
  const limit = (field: string, cap: LimitCap): Limit => ({
    id: `agents/${name}/${field}`,
    match: { agents: [name] },
    each: ["agent"],
    cap,
    source: `${file.file}:${at.line}`,
  });
  return [
    ...(calls === undefined
      ? []
      : [limit("calls_per_minute_max", { kind: "rate", callsMax: calls, windowSeconds: 60 })]),
    ...(microUsd === undefined
      ? []
      : [
          limit("budget_micro_usd_per_day", {
            ...{ kind: "budget", unit: "micro_usd", max: microUsd, period: "day" },
          }),
        ]),
  ];
}
