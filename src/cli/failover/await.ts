/** `holdfast failover await`: for hooks. Exits 0 only on a verdict of this site that verifies (AG-403 4.2). */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parseVkey } from "../../audit/index.ts";
import { checkVerdict, openEnvelope, verdictType } from "../../failover/index.ts";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Config, FailoverConfig } from "../config-types.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { askOnce, failingLines } from "./guard-client.ts";
import { manifestReader } from "./read-manifest.ts";

export interface AwaitOptions {
  readonly budget: string;
  readonly begin?: string;
  readonly cause?: string;
  readonly from?: string;
  readonly json?: boolean;
}

/** 0 this site may act, 1 it may not, 2 it could not be asked. */
export async function awaitVerdict(
  config: Config,
  failover: FailoverConfig,
  options: AwaitOptions,
  io: CommandOutput,
): Promise<number> {
  const budgetMs = Number(options.budget) * 1_000;
  if (!(budgetMs > 0)) return complain(io, "--budget is a number of seconds");
  const endMs = Date.now() + budgetMs;
  const began = await begun(failover, options);
  if (!began.ok) return complain(io, began.error);
  const nonce = randomBytes(16).toString("hex");
  const question = { nonce, budget_ms: Math.max(1, endMs - Date.now()) };
  const answer = await askOnce(failover, "/await", question, budgetMs + 2_000);
  if (!answer.ok) return complain(io, answer.error);
  const { status, body } = answer.value;
  if (status !== 200) {
    if (options.json) io.out(JSON.stringify({ ok: false, status, ...body }));
    else
      for (const line of [
        `${config.site} may not act: ${String(body["phase"])}`,
        ...failingLines(body),
      ])
        io.err(line);
    return 1;
  }
  const verdict = await verified(config, failover, body, nonce);
  if (!verdict.ok) return complain(io, `the verdict is refused: ${verdict.error}`, 1);
  if (options.json) io.out(JSON.stringify({ ok: true, ...verdict.value }));
  else io.out(`${config.site} may act under epoch ${String(verdict.value["epoch"])}`);
  return 0;
}

/** With `--begin`, the failover to this site starts here. */
async function begun(
  failover: FailoverConfig,
  { begin, cause, from }: AwaitOptions,
): Promise<Result<void, string>> {
  if (begin === undefined) return ok(undefined);
  const answer = await askOnce(failover, "/failover", {
    ...{ mechanism: begin, cause: cause ?? `asked by ${begin}`, source_site: from ?? null },
    initiated: new Date().toISOString(),
  });
  if (!answer.ok) return answer;
  return answer.value.status === 202
    ? ok(undefined)
    : err(`the guard refuses: ${JSON.stringify(answer.value.body)}`);
}

/** The manifest is read here too, so that a guard with another key, or with another manifest, says nothing. */
async function verified(
  { site, tenant }: Config,
  { manifest: path, manifest_keys: keys, signatures_min: signatures }: FailoverConfig,
  envelope: JsonObject,
  nonce: string,
): Promise<Result<JsonObject, string>> {
  const text = await readFile(path, "utf8").catch((thrown: unknown) => String(thrown));
  const read = (await manifestReader()).readSigned(
    text,
    keys,
    new Date().toISOString(),
    signatures,
  );
  if (!read.ok) return err(read.error.join("; "));
  const { manifest, digest } = read.value;
  const own = manifest.sites.find(({ id }) => id === site);
  const key = own && parseVkey(own.guard_key);
  if (key === undefined || !key.ok) return err(`the manifest has no usable site ${site}`);
  const opened = openEnvelope(envelope, verdictType, [key.value]);
  if (!opened.ok) return opened;
  const verdict = checkVerdict(opened.value.payload, {
    ...{ deployment: manifest.deployment, tenant, site, manifest_digest: digest, nonce },
  });
  return verdict.ok ? ok({ ...verdict.value }) : verdict;
}

function complain(io: CommandOutput, sentence: string, code = 2): number {
  io.err(`holdfast failover await: ${sentence}`);
  return code;
}
