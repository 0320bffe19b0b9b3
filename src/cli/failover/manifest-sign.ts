/** `holdfast failover manifest sign`: the complete manifest in a signed envelope (DSSE). */
import { readFile, writeFile } from "node:fs/promises";
import { openSigner } from "../../adapters/keys/index.ts";
import { encodeVkey } from "../../audit/index.ts";
import {
  cosignEnvelope,
  type Envelope,
  type EnvelopeSigner,
  type Manifest,
  manifestDigest,
  manifestPayloadType,
  parseEnvelope,
  signEnvelope,
} from "../../failover/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { nowText, tell } from "./open-manifest.ts";
import { manifestReader } from "./read-manifest.ts";

export interface SignOptions {
  readonly signingKey: string;
  readonly name: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** 0 written, 1 the manifest has faults, 2 unusable key or file. */
export async function signManifest(
  file: string,
  options: SignOptions,
  io: CommandOutput,
): Promise<number> {
  const { manifest, diagnostics } = await (await manifestReader()).readFile(file, nowText());
  tell(diagnostics, io);
  if (manifest === undefined) return diagnostics.some(({ code }) => code === "unreadable") ? 2 : 1;
  if (!/^[^\s+]+$/.test(options.name))
    return complain(io, "--name", "a name holds neither spaces nor a plus sign");
  const signer = await openSigner(options.signingKey, options.name);
  if (!signer.ok) return complain(io, signer.error.path, signer.error.detail);
  const output = options.output ?? `${file.replace(/\.(?:ya?ml|json)$/, "")}.signed.json`;
  const vkey = encodeVkey(options.name, signer.value.publicKey);
  const vkeyFile = `${options.signingKey}.vkey`;
  const envelope = await signedEnvelope(output, manifest, signer.value);
  try {
    await writeFile(output, `${JSON.stringify(envelope, undefined, 2)}\n`);
    await writeFile(vkeyFile, `${vkey}\n`);
  } catch (thrown) {
    return complain(io, output, (thrown as NodeJS.ErrnoException).code ?? String(thrown));
  }
  const digest = manifestDigest(manifest);
  const signatures = envelope.signatures.map(({ keyid }) => keyid);
  if (options.json) io.out(JSON.stringify({ ok: true, output, digest, vkey, signatures }));
  else {
    io.out(`${output}: ${manifest.deployment} version ${manifest.version}, digest ${digest}`);
    io.out(`signed by ${signatures.join(", ")}; check it with ${vkeyFile}`);
  }
  return 0;
}

/** What is there already keeps its signatures when it holds the same manifest; one key signs once. */
async function signedEnvelope(
  output: string,
  manifest: Manifest,
  signer: EnvelopeSigner,
): Promise<Envelope> {
  const fresh = signEnvelope(manifestPayloadType, manifest as unknown as JsonObject, signer);
  const present = await readFile(output, "utf8").catch(() => "");
  const parsed = parseEnvelope(present);
  if (!parsed.ok || parsed.value.payload !== fresh.payload) return fresh;
  if (parsed.value.payloadType !== manifestPayloadType) return fresh;
  const mine = fresh.signatures[0]?.keyid;
  const others = parsed.value.signatures.filter(({ keyid }) => keyid !== mine);
  return cosignEnvelope({ ...parsed.value, signatures: others }, signer);
}

function complain(io: CommandOutput, path: string, detail: string): number {
  io.err(`${path}: ${detail}`);
  return 2;
}
