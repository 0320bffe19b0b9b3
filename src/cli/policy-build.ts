/** `holdfast policy build`: a policy folder as a signed bundle that OPA and the gateway load. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { writeBundle } from "../adapters/bundle/index.ts";
import { openBundleKey } from "../adapters/keys/index.ts";
import { buildBundle, nextSerial, revisionOf, signBundle } from "../policy/index.ts";
import {
  configOption,
  openFolder,
  type PolicyOptions,
  refuse,
  toolSchemasOption,
} from "./policy.ts";
import type { CommandOutput } from "./policy-knowledge.ts";

export interface BuildOptions extends PolicyOptions {
  readonly output: string;
  /** PKCS#8 PEM, P-256; made when absent, with its public half beside it as `.pub`. */
  readonly signingKey: string;
  readonly revision?: string;
  /** Digits. Gateways refuse a bundle whose serial is below that of one they had. */
  readonly serial?: string;
}

/** Writes the bundle. Resolves with the exit code: 1 when the policies have faults, 2 for unusable files or keys. */
export async function buildPolicy(
  folder: string,
  options: BuildOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openFolder(folder, options, io);
  if (!opened) return 2;
  const { set, modules, diagnostics } = opened.loaded;
  if (!set) return refuse(diagnostics, options, io);
  const publicKey = `${options.signingKey}.pub`;
  const signer = await openBundleKey(options.signingKey, publicKey);
  if (!signer.ok) return complain(io, signer.error.path, signer.error.detail);
  const revision = options.revision ?? revisionOf(set);
  const serial = options.serial === undefined ? nextSerial(0, Date.now()) : Number(options.serial);
  if (!Number.isSafeInteger(serial) || serial < 1)
    return complain(io, "--serial", "give a whole number from 1");
  const signed = signBundle(buildBundle(set, { revision, serial }, modules), signer.value);
  if (!signed.ok) return complain(io, folder, signed.error.detail);
  try {
    await writeFile(options.output, await writeBundle(signed.value));
  } catch (thrown) {
    return complain(io, options.output, (thrown as NodeJS.ErrnoException).code ?? String(thrown));
  }
  const { keyId } = signer.value;
  const built = { ok: true, output: options.output, revision, serial, keyId, publicKey };
  if (options.json) io.out(JSON.stringify(built));
  else {
    io.out(`${options.output}: ${set.rules.length} rules, revision ${revision}, serial ${serial}`);
    io.out(`signed by key ${keyId}; check it with ${publicKey}`);
  }
  return 0;
}

function complain(io: CommandOutput, path: string, detail: string): number {
  io.err(`${path}: ${detail}`);
  return 2;
}

/** Adds `build` to the `policy` command. `exit` gets the exit code. */
export function registerPolicyBuild(
  policy: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  policy
    .command("build <folder>")
    .description("write a signed OPA bundle of a policy folder")
    .requiredOption("-o, --output <file>", "where the bundle goes, a .tar.gz")
    .requiredOption("--signing-key <file>", "P-256 key in PEM; made when absent")
    .option("--serial <number>", "grows with each bundle (default: milliseconds since 1970)")
    .option("--revision <text>", "name of this revision (default: digest of the policies)")
    .option("--json", "one JSON value instead of text")
    .option(...configOption)
    .option(...toolSchemasOption)
    .action(async (folder: string, options: BuildOptions) =>
      exit(await buildPolicy(folder, options, io)),
    );
}
