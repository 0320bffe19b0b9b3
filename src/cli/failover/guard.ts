/** The commands around the guard of a site: run it, look at it, begin a failover, end one. */
import { readFile, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { openSigner } from "../../adapters/keys/index.ts";
import {
  breakGlassType,
  cosignEnvelope,
  type Mechanism,
  mechanisms,
  parseEnvelope,
  signEnvelope,
} from "../../failover/index.ts";
import { isJsonArray, type JsonObject, parseJsonStrict, type Result } from "../../kernel/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { Config, FailoverConfig } from "../config-types.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { abandon, abandonType } from "./abandon.ts";
import { type AwaitOptions, awaitVerdict } from "./await.ts";
import { askOnce, failingLines } from "./guard-client.ts";

const byHand: Mechanism = "manual";
const knownMechanisms = `${Object.keys(mechanisms).join(", ")}, or a name of yours`;

export interface GuardCommandParts {
  readonly io: CommandOutput;
  readonly exit: (code: number) => void;
  readonly loadConfig: (command: Command) => Promise<Config | undefined>;
  readonly runGuard: (config: Config) => Promise<number>;
  readonly guardKey: (config: Config) => Promise<string>;
  readonly openSharedState: (config: Config) => Promise<Result<SharedState, string>>;
}

type Run = (config: Config, failover: FailoverConfig) => Promise<number>;

export function registerGuardCommands(failover: Command, parts: GuardCommandParts): void {
  const { io, exit } = parts;
  const withFailover = async (command: Command, run: Run): Promise<void> => {
    const config = await parts.loadConfig(command);
    if (config === undefined) return exit(2);
    if (config.failover === undefined) {
      io.err("the configuration has no `failover:`: this deployment runs standalone");
      return exit(2);
    }
    exit(await run(config, config.failover));
  };
  const add = (name: string, description: string): Command =>
    failover
      .command(name)
      .description(description)
      .option("-c, --config <file>", "configuration file", "holdfast.yaml");
  add("guard", "run the guard of this site").action((_, command: Command) =>
    withFailover(command, (config) => parts.runGuard(config)),
  );
  add("key", "the guard_key of this site, for the manifest; made when absent").action(
    async (_, command: Command) => {
      const config = await parts.loadConfig(command);
      if (config === undefined) return exit(2);
      io.out(await parts.guardKey(config));
    },
  );
  add("status", "whether this site may act, and why not")
    .option("--json", "for machines")
    .action(({ json }: { json?: boolean }, command: Command) =>
      withFailover(command, (_, to) => status(to, json === true, io)),
    );
  add("await", "wait until this site may act; exit 0 only then")
    .requiredOption("--budget <seconds>", "how long at most")
    .option("--begin <mechanism>", `begin a failover to this site first: ${knownMechanisms}`)
    .option("--cause <text>", "why")
    .option("--from <site>", "the site that acted before")
    .option("--json", "for machines")
    .action((options: AwaitOptions, command: Command) =>
      withFailover(command, (config, to) => awaitVerdict(config, to, options, io)),
    );
  add("begin", "begin a failover to this site (planned, or by hand)")
    .requiredOption("--cause <text>", "why")
    .option("--from <site>", "the site that acts now")
    .option("--mechanism <name>", `what moves the traffic: ${knownMechanisms}`, byHand)
    .option("--planned", "maintenance, blue-green, a drill")
    .action((options: BeginOptions, command: Command) =>
      withFailover(command, (_, to) => begin(to, options, io)),
    );
  add("stand-down", "this site stops acting, and gives its lease back")
    .requiredOption("--because <text>", "why")
    .action(({ because }: { because: string }, command: Command) =>
      withFailover(command, (_, to) => told(to, "/stand-down", { because }, io)),
    );
  add("app-ready", "note that the application is up, for its recovery time")
    .addOption(new Option("--mechanism <name>", "who says so").default(byHand))
    .action(({ mechanism }: { mechanism: string }, command: Command) =>
      withFailover(command, (_, to) => told(to, "/app-ready", { mechanism }, io)),
    );
  registerBreakGlass(failover, parts, withFailover);
  add("abandon <order>", "back to standalone: an order that a quorum has signed").action(
    (file: string, _: unknown, command: Command) =>
      withFailover(command, async (config, to) => {
        const state = await parts.openSharedState(config);
        if (!state.ok) {
          io.err(state.error);
          return 2;
        }
        try {
          return await abandon(file, state.value, to, io);
        } finally {
          await state.value.close();
        }
      }),
  );
}

interface BeginOptions {
  readonly cause: string;
  readonly from?: string;
  readonly mechanism: string;
  readonly planned?: boolean;
}

/** 0 it may act, 1 it may not, 2 it could not be asked. */
async function status(to: FailoverConfig, json: boolean, io: CommandOutput): Promise<number> {
  const answer = await askOnce(to, "/status");
  if (!answer.ok) {
    io.err(answer.error);
    return 2;
  }
  const { body } = answer.value;
  const { phase, epoch, site, deployment, tier, monitoring, open_failover: open } = body;
  const acts = phase === "ready" || phase === "degraded";
  if (json) {
    io.out(JSON.stringify(body));
    return acts ? 0 : 1;
  }
  io.out(`${String(deployment)} at ${String(site)}: ${String(phase)}, epoch ${String(epoch)}`);
  if (phase === "degraded") io.out(`  tier ${String(tier)}, monitoring ${String(monitoring)}`);
  if (open !== null) io.out(`  failover ${String(open)} is open`);
  for (const line of failingLines(body)) io.out(line);
  const { answers } = body;
  if (isJsonArray(answers)) io.out(`  ${answers.length} components were asked (--json shows each)`);
  return acts ? 0 : 1;
}

async function begin(
  to: FailoverConfig,
  options: BeginOptions,
  io: CommandOutput,
): Promise<number> {
  const { mechanism, cause, from, planned } = options;
  return await told(
    to,
    "/failover",
    {
      ...{ mechanism, cause, planned: planned === true, source_site: from ?? null },
      initiated: new Date().toISOString(),
    },
    io,
  );
}

async function told(
  to: FailoverConfig,
  path: string,
  question: JsonObject,
  io: CommandOutput,
): Promise<number> {
  const answer = await askOnce(to, path, question);
  if (!answer.ok) {
    io.err(answer.error);
    return 2;
  }
  const { status: code, body } = answer.value;
  if (code >= 300) {
    io.err(
      `${String(body["title"] ?? "refused")}: ${String(body["detail"] ?? JSON.stringify(body))}`,
    );
    return 1;
  }
  io.out(JSON.stringify(body));
  return 0;
}

/** Two steps, so that several people sign the same order at different places; then it is handed in. */
function registerBreakGlass(
  failover: Command,
  { io, exit }: GuardCommandParts,
  withFailover: (command: Command, run: Run) => Promise<void>,
): void {
  const breakGlass = failover
    .command("break-glass")
    .description("let a site act although it is blocked: signed by several people, for a while");
  breakGlass
    .command("sign <file>")
    .description("sign an order (JSON); a signed one gets one signature more")
    .requiredOption("--signing-key <file>", "your Ed25519 key (PEM)")
    .requiredOption("--name <name>", "as in the manifest's break_glass.keys")
    .action(async (file: string, options: { signingKey: string; name: string }) => {
      exit(await signOrder(file, options, io));
    });
  breakGlass
    .command("submit <file>")
    .description("hand the signed order to the guard of this site")
    .option("-c, --config <file>", "configuration file", "holdfast.yaml")
    .action((file: string, _: unknown, command: Command) =>
      withFailover(command, async (_config, to) => {
        const order = await orderIn(file);
        if (order === undefined) {
          io.err(`${file} is no signed order`);
          return 2;
        }
        return told(to, "/break-glass", order, io);
      }),
    );
}

async function signOrder(
  file: string,
  { signingKey, name }: { signingKey: string; name: string },
  io: CommandOutput,
): Promise<number> {
  const signer = await openSigner(signingKey, name);
  const order = await orderIn(file);
  if (!signer.ok || order === undefined) {
    io.err(
      signer.ok ? `${file} is no JSON object` : `${signer.error.path}: ${signer.error.detail}`,
    );
    return 2;
  }
  const before = parseEnvelope(order);
  const envelope = before.ok
    ? cosignEnvelope(before.value, signer.value)
    : signEnvelope(
        order["format"] === "holdfast.abandon/v1" ? abandonType : breakGlassType,
        order,
        signer.value,
      );
  await writeFile(file, `${JSON.stringify(envelope, undefined, 2)}\n`);
  io.out(`${file}: ${envelope.signatures.length} signatures`);
  return 0;
}

async function orderIn(file: string): Promise<JsonObject | undefined> {
  const text = await readFile(file).catch(() => undefined);
  const parsed = text && parseJsonStrict(text);
  return parsed?.ok === true ? (parsed.value as JsonObject) : undefined;
}
