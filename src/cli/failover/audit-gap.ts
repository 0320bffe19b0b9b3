/** `holdfast failover audit-gap`: what was recorded against what arrived, after a failover or at any time. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { queryOnce } from "../../adapters/postgres/index.ts";
import { type AuditEventRef, type AuditGap, hasGap, reconcile } from "../../failover/index.ts";
import { err, isJsonObject, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";

const eventsMax = 2_000_000;
const exits = { complete: 0, gap: 1, usage: 2 } as const;

interface Options {
  readonly sourceUrlEnv: string;
  readonly sourceQuery: string;
  readonly warehouseUrlEnv?: string;
  readonly warehouseQuery?: string;
  readonly warehouseFile?: string;
  readonly id: string;
  readonly digest?: string;
  readonly timeoutSeconds: string;
  readonly json?: boolean;
}

export function registerAuditGapCommand(
  failover: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  failover
    .command("audit-gap")
    .description("compare the recorded events with those that arrived; exit 1 when any is missing")
    .requiredOption("--source-url-env <name>", "variable with the postgres:// URL of the source")
    .requiredOption(
      "--source-query <sql>",
      "answers an event id a row, and its digest if it has one",
    )
    .option("--warehouse-url-env <name>", "variable with the postgres:// URL of the warehouse")
    .option("--warehouse-query <sql>", "answers the same of the warehouse")
    .option("--warehouse-file <path>", "or a file with an event a line, as JSON")
    .option("--id <member>", "member of a line that names the event", "event_id")
    .option("--digest <member>", "member of a line with its digest")
    .option("--timeout-seconds <n>", "for each query", "60")
    .option("--json", "the result as JSON")
    .action(async (options: Options) => exit(await auditGap(options, io, process.env)));
}

/** 0 when all arrived, 1 when something is missing, changed or not known to the source, 2 when that cannot be told. */
export async function auditGap(
  options: Options,
  io: CommandOutput,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const seconds = Number(options.timeoutSeconds);
  if (!(seconds > 0 && seconds <= 86_400)) return refuse(io, "--timeout-seconds is 1 to 86400");
  const ask = { env, timeoutMs: seconds * 1_000 };
  const source = await queried(options.sourceUrlEnv, options.sourceQuery, ask);
  if (!source.ok) return refuse(io, `the source: ${source.error}`);
  const warehouse = await kept(options, ask);
  if (!warehouse.ok) return refuse(io, `the warehouse: ${warehouse.error}`);
  const gap = reconcile(source.value, warehouse.value);
  if (options.json) io.out(JSON.stringify(gap));
  else for (const line of linesOf(gap)) io.out(line);
  return hasGap(gap) ? exits.gap : exits.complete;
}

interface Ask {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

type Events = Result<readonly AuditEventRef[], string>;

async function kept(options: Options, ask: Ask): Promise<Events> {
  const { warehouseFile: file, warehouseUrlEnv: name, warehouseQuery: query } = options;
  if (file !== undefined) return await eventsInFile(file, options.id, options.digest);
  if (name === undefined || query === undefined)
    return err("give --warehouse-file, or --warehouse-url-env and --warehouse-query");
  return await queried(name, query, ask);
}

async function queried(name: string, query: string, { env, timeoutMs }: Ask): Promise<Events> {
  const url = env[name];
  if (url === undefined || url === "") return err(`the variable ${name} holds no URL`);
  const signal = AbortSignal.timeout(timeoutMs);
  const once = { url, timeoutMs, signal, applicationName: "holdfast-audit-gap" };
  const rows = await queryOnce(once, async (asked) => {
    await asked("BEGIN READ ONLY");
    return await asked(query);
  });
  if (!rows.ok) return rows;
  if (rows.value.length > eventsMax)
    return err(`over ${eventsMax} events: ask for a shorter time, on both sides`);
  const events: AuditEventRef[] = [];
  for (const [id, digest] of rows.value) {
    if (typeof id !== "string") return err("its query answers a row without an event id");
    events.push({ id, ...(typeof digest === "string" ? { digest } : {}) });
  }
  return ok(events);
}

export async function eventsInFile(
  path: string,
  id: string,
  digest: string | undefined,
): Promise<Events> {
  const events: AuditEventRef[] = [];
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      number += 1;
      const read = eventIn(line, id, digest);
      if (!read.ok) return err(`${path}:${number}: ${read.error}`);
      if (read.value !== undefined) events.push(read.value);
      if (events.length > eventsMax) return err(`${path} holds over ${eventsMax} events`);
    }
  } catch (thrown) {
    return err(thrown instanceof Error ? thrown.message : String(thrown));
  }
  return ok(events);
}

/** Lines that name no event are other things that the pipeline carries. */
function eventIn(
  line: string,
  id: string,
  digest: string | undefined,
): Result<AuditEventRef | undefined, string> {
  if (line.trim() === "") return ok(undefined);
  const parsed = parseJsonStrict(Buffer.from(line));
  if (!parsed.ok) return err(parsed.error.detail);
  const event = isJsonObject(parsed.value) ? parsed.value : {};
  const named = event[id];
  if (typeof named !== "string" && typeof named !== "number") return ok(undefined);
  const content = digest === undefined ? undefined : event[digest];
  return ok({ id: String(named), ...(typeof content === "string" ? { digest: content } : {}) });
}

function linesOf(gap: AuditGap): readonly string[] {
  const { source_events: source, warehouse_events: warehouse, duplicates } = gap;
  const head = `${source} events recorded, ${warehouse} arrived, ${duplicates} delivered again`;
  const named = (count: number, what: string, ids: readonly string[]): readonly string[] => {
    if (count === 0) return [];
    const more = count > ids.length ? `, and ${count - ids.length} more` : "";
    return [`${count} ${what}: ${ids.join(", ")}${more}`];
  };
  const gaps = [
    ...named(gap.missing, "missing", gap.missing_ids),
    ...named(gap.differing, "with another content", gap.differing_ids),
    ...named(gap.unexpected, "that the source does not know", gap.unexpected_ids),
  ];
  return gaps.length === 0 ? [head, "nothing is missing"] : [head, ...gaps];
}

function refuse(io: CommandOutput, message: string): number {
  io.err(`error: ${message}`);
  return exits.usage;
}
