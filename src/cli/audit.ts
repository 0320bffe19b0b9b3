/**
 * `holdfast audit`: read-only, offline, needs no running process. Exit codes: 0 fine; 1 tampered; 2 wrong usage, or
 * something that cannot be read.
 */
import type { Command } from "commander";
import { prove } from "./audit-prove.ts";
import { type ShowOptions, show } from "./audit-show.ts";
import { type TailOptions, tail } from "./audit-tail.ts";
import { type VerifyOptions, verify } from "./audit-verify.ts";

const keyHelp = "verifier key of the log: a vkey, or a file that holds one";
const append = (value: string, list: readonly string[] = []): readonly string[] => [...list, value];

/** Adds `audit verify | show | tail | prove`. */
export function registerAuditCommands(program: Command): void {
  const audit = program.command("audit").description("verify and read the record of decisions");
  audit
    .command("verify")
    .description("verify a whole log, or receipts alone, from files and one public key")
    .argument("[folder]", "folder of the log; without it only the receipts are verified")
    .option("--key <vkey|file>", keyHelp)
    .option("--receipt <file>", "a receipt kept elsewhere; may be repeated", append)
    .option("--checkpoint <file>", "a checkpoint kept elsewhere; may be repeated", append)
    .option(
      "--opaque",
      "the log was not written by Holdfast: its entries are bytes, whatever they say",
    )
    .option("--json", "print the report as JSON")
    .action((folder: string | undefined, options: VerifyOptions) =>
      exitWith(verify(folder, options)),
    );
  audit
    .command("show")
    .description("print entries, verified")
    .argument("<folder>", "folder of the log")
    .option("--key <vkey|file>", keyHelp)
    .option("--call <id>", "only this call")
    .option("--agent <id>", "only decisions about this agent")
    .option("--tool <id>", "only decisions about this tool, server:tool")
    .option("--decision <outcome>", "only allow, deny, sanitize or approval_needed")
    .option("--unknown", "only forwarded calls without an outcome")
    .option("--json", "one entry a line, with its index")
    .action((folder: string, options: ShowOptions) => exitWith(show(folder, options)));
  audit
    .command("tail")
    .description("print the newest entries, signatures checked")
    .argument("<folder>", "folder of the log")
    .option("--key <vkey|file>", keyHelp)
    .option("-n, --lines <count>", "how many", "10")
    .option("-f, --follow", "and every further one until interrupted")
    .option("--json", "one entry a line, with its index")
    .action((folder: string, options: TailOptions) => exitWith(tail(folder, options)));
  audit
    .command("prove")
    .description("print a receipt (c2sp.org/tlog-proof@v1) of an entry, from the verified log")
    .argument("<folder>", "folder of the log")
    .argument("<entry>", "index of the entry, or id of the call whose decision it is")
    .option("--key <vkey|file>", keyHelp)
    .action((folder: string, entry: string, options: { readonly key?: string }) =>
      exitWith(prove(folder, entry, options.key)),
    );
}

async function exitWith(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
}
