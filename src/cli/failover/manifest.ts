/** `holdfast failover manifest`: what must be intact, written down, checked and signed (AG-403 4.1). */
import type { Command } from "commander";
import type { CommandOutput } from "../policy-knowledge.ts";
import { type GenerateOptions, generateCommand } from "./generate.ts";
import { checkManifestFile } from "./manifest-check.ts";
import { diffManifests } from "./manifest-diff.ts";
import { showManifest } from "./manifest-show.ts";
import { type SignOptions, signManifest } from "./manifest-sign.ts";
import { type VerifyOptions, verifyManifest } from "./manifest-verify.ts";

const json = ["--json", "one JSON value instead of text"] as const;

interface CheckFlags {
  readonly json?: boolean;
  readonly strict?: boolean;
}

export function registerManifestCommands(
  failover: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): Command {
  const manifest = failover
    .command("manifest")
    .description("check, sign, compare and generate governance-state manifests");
  manifest
    .command("check <file>")
    .description("find every fault of a manifest; exit 1 when there is one")
    .option(...json)
    .option("--strict", "warnings count as faults")
    .action(async (file: string, flags: CheckFlags) =>
      exit(await checkManifestFile(file, flags, io)),
    );
  manifest
    .command("show <file>")
    .description("the complete manifest, every default filled in, and its digest")
    .option(...json)
    .action(async (file: string, flags: CheckFlags) => exit(await showManifest(file, flags, io)));
  manifest
    .command("sign <file>")
    .description("write <name>.signed.json; signing the same manifest again adds a signature")
    .requiredOption("--signing-key <file>", "Ed25519 key in PEM; made when absent")
    .requiredOption("--name <name>", "the name it signs under, such as your own")
    .option("-o, --output <file>", "where the signed manifest goes")
    .option(...json)
    .action(async (file: string, options: SignOptions) =>
      exit(await signManifest(file, options, io)),
    );
  manifest
    .command("verify <file>")
    .description("say whether a signed manifest holds; exit 1 when it does not")
    .requiredOption("--key <vkey...>", "verifier keys that are trusted, or files of them")
    .option("--threshold <number>", "how many of them must have signed", "1")
    .option("--digest <digest>", "the digest it must have")
    .option(...json)
    .action(async (file: string, options: VerifyOptions) =>
      exit(await verifyManifest(file, options, io)),
    );
  manifest
    .command("diff <before> <after>")
    .description("what differs in meaning; exit 1 when something does")
    .option(...json)
    .action(async (before: string, after: string, flags: CheckFlags) =>
      exit(await diffManifests(before, after, flags, io)),
    );
  manifest
    .command("generate <files...>")
    .description(
      "a manifest from docker compose, Kubernetes (Helm), terraform show -json, Patroni and HAProxy files, and a report of what is missing in either",
    )
    .option("--base <file>", "a manifest of what no file says: sites, keys, residency")
    .option("--against <manifest>", "report only: this manifest against the files")
    .option("-o, --output <file>", "where the manifest goes, instead of standard output")
    .option(...json)
    .action(async (files: string[], options: GenerateOptions) =>
      exit(await generateCommand(files, options, io)),
    );
  return manifest;
}
