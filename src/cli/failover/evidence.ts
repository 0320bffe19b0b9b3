/** `holdfast failover evidence|report|conformance`: what is handed on to people who trust nothing. */
import { readFile, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import {
  envelopeVerifiers,
  openEnvelope,
  regulationIds,
  reportMarkdown,
  reportOf,
  reportPage,
  scoreConformance,
  testRuns,
} from "../../failover/index.ts";
import { err, type JsonValue, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { tableLines } from "../table.ts";
import {
  checkOscal,
  complain,
  type ListOptions,
  listPack,
  makePack,
  type PackOptions,
  packedEvidence,
  type VerifyPackOptions,
  verifyPackFile,
} from "./evidence-pack.ts";
import { vkeyText } from "./evidence-sources.ts";

const json = ["--json", "one JSON value instead of text"] as const;
const key = ["--key <vkey|file>", "key of whoever made the pack; may be repeated"] as const;
const append = (value: string, list: readonly string[]): readonly string[] => [...list, value];

export function registerEvidenceCommands(
  failover: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  const evidence = failover.command("evidence").description("packs of evidence, verified offline");
  evidence
    .command("pack", { isDefault: true })
    .description("make a pack; everything in it is verified first")
    .requiredOption("--out <file>", "where the pack goes")
    .requiredOption("--signing-key <file>", "Ed25519 key in PEM; made when absent")
    .requiredOption("--name <name>", "the name it signs under")
    .option("--manifest <file>", "signed manifest; may be repeated", append, [])
    .option("--manifest-key <vkey|file>", "who signs manifests; may be repeated", append, [])
    .option("--guard-log <folder>", "log of the guard")
    .option("--drills <folder>", "folder of drills")
    .option("--parity <file>", "comparisons of sites besides those in the guard's log, JSON")
    .option("--owner <name>", "who answers for weaknesses: team, or 4.7=team", append, [])
    .option("--due-days <number>", "days until a weakness is repaired", "30")
    .option("--as-of <time>", "RFC 3339 UTC; default: the newest evidence")
    .option(...json)
    .action(async (options: PackOptions) => exit(await makePack(options, io)));
  evidence
    .command("verify <pack>")
    .description("say whether a pack is what its maker signed; exit 1 when it is not")
    .requiredOption(...key, append, [])
    .option(...json)
    .action(async (pack: string, options: VerifyPackOptions) =>
      exit(await verifyPackFile(pack, options, io)),
    );
  evidence
    .command("list <pack>")
    .description("what is in a pack, who may read it, and when it may go")
    .requiredOption(...key, append, [])
    .option("--role <name>", "role of the reader; may be repeated", append, [])
    .option("--retention <file>", "days and readers of each class, JSON")
    .option("--to <folder>", "write what the roles may read")
    .option(...json)
    .action(async (pack: string, options: ListOptions) => exit(await listPack(pack, options, io)));
  evidence
    .command("oscal <file>")
    .description("check an OSCAL document; exit 1 when it is not valid")
    .option("--schema <file>", "a published schema, besides our own check")
    .action(async (file: string, { schema }: { schema?: string }) =>
      exit(await checkOscal(file, schema, io)),
    );
  registerReport(failover, io, exit);
  registerConformance(failover, io, exit);
}

interface ReportOptions {
  readonly regulation: string;
  readonly pack: string;
  readonly key: readonly string[];
  readonly format: "md" | "html" | "json";
  readonly out?: string;
}

function registerReport(failover: Command, io: CommandOutput, exit: (code: number) => void): void {
  failover
    .command("report")
    .description("what a pack shows, by regulation, with the evidence behind each line")
    .addOption(
      new Option("--regulation <id>", "which")
        .choices([...regulationIds, "all"])
        .makeOptionMandatory(),
    )
    .requiredOption("--pack <file>", "the pack; verified first")
    .requiredOption(...key, append, [])
    .addOption(
      new Option("--format <format>", "form").choices(["md", "html", "json"]).default("md"),
    )
    .option("--out <file>", "instead of standard output")
    .action(async (options: ReportOptions) => exit(await report(options, io)));
}

/** 0 written, 2 the pack does not verify. */
async function report(options: ReportOptions, io: CommandOutput): Promise<number> {
  const evidence = await packedEvidence(options.pack, options.key);
  if (!evidence.ok) return complain(io, evidence.error);
  const wanted = options.regulation === "all" ? regulationIds : [options.regulation];
  const made = reportOf(evidence.value, wanted);
  const text = {
    md: () => reportMarkdown(made),
    html: () => reportPage(made),
    json: () => `${JSON.stringify(made)}\n`,
  }[options.format]();
  if (options.out === undefined) io.out(text.trimEnd());
  else await writeFile(options.out, text);
  return 0;
}

interface ConformanceOptions {
  readonly results: readonly string[];
  readonly root: string;
  readonly attestation?: string;
  readonly attestationKey: readonly string[];
  readonly json?: boolean;
}

function registerConformance(
  failover: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  failover
    .command("conformance")
    .description("per requirement of AG-403, the tests that ran with real servers; our reading")
    .requiredOption("--results <file...>", "results of vitest's JSON reporter")
    .option("--root <folder>", "where the tests ran", process.cwd())
    .option("--attestation <file>", "signed by an independent party, over these results")
    .option("--attestation-key <vkey|file>", "key of that party; may be repeated", append, [])
    .option(...json)
    .action(async (options: ConformanceOptions) => exit(await conformance(options, io)));
}

export const attestationPayloadType = "application/vnd.holdfast.attestation.v1+json";

/** 0 conformant, 1 not or not shown, 2 unreadable. */
async function conformance(options: ConformanceOptions, io: CommandOutput): Promise<number> {
  const runs: NonNullable<ReturnType<typeof testRuns>>[number][] = [];
  const digests: string[] = [];
  for (const file of options.results) {
    const bytes = await readFile(file).catch(() => undefined);
    const read = bytes === undefined ? undefined : testRuns(parsed(bytes), options.root);
    if (bytes === undefined || read === undefined)
      return complain(io, `${file} holds no results of vitest's JSON reporter`);
    digests.push(`sha256:${sha256Hex(bytes)}`);
    runs.push(...read);
  }
  const attested = await attestedBy(options, digests);
  if (!attested.ok) return complain(io, attested.error);
  const scored = scoreConformance(runs, attested.value);
  if (options.json === true) {
    io.out(JSON.stringify({ ...scored, results: digests, attested_by: attested.value ?? null }));
    return scored.verdict === "conformant" ? 0 : 1;
  }
  io.out(`${scored.verdict.replaceAll("_", "-")}, level ${scored.level} (${scored.reading})`);
  const rows = scored.requirements.map((each) => [
    `AG-403 ${each.requirement}`,
    each.status.replaceAll("_", "-"),
    `${each.shown_by.length} with real servers`,
    `${each.failed.length} failed`,
    `${each.not_counted.length} not counted`,
  ]);
  for (const line of tableLines([["REQUIREMENT", "STATUS", "SHOWN", "FAILED", "REST"], ...rows]))
    io.out(line);
  for (const reason of scored.because) io.out(reason);
  return scored.verdict === "conformant" ? 0 : 1;
}

function parsed(bytes: Uint8Array): JsonValue {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as JsonValue;
  } catch {
    return null;
  }
}

/** The party's name, when it signed exactly these results. */
async function attestedBy(
  { attestation, attestationKey }: ConformanceOptions,
  digests: readonly string[],
): Promise<Result<string | undefined, string>> {
  if (attestation === undefined) return ok(undefined);
  const verifiers = envelopeVerifiers(await Promise.all(attestationKey.map(vkeyText)));
  if (!verifiers.ok) return verifiers;
  const bytes = await readFile(attestation).catch(() => undefined);
  if (bytes === undefined) return err(`${attestation} cannot be read`);
  const opened = openEnvelope(bytes, attestationPayloadType, verifiers.value);
  if (!opened.ok) return err(`${attestation}: ${opened.error}`);
  const { party, results } = opened.value.payload;
  const same = JSON.stringify(results) === JSON.stringify(digests);
  if (typeof party !== "string" || party === "") return err(`${attestation} names no party`);
  return same ? ok(party) : err(`${attestation} is about other results than these`);
}
