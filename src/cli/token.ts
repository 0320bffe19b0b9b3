/** `holdfast token`: tokens for local use, and why a token would be refused. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { openTokenKey } from "../adapters/token-key/index.ts";
import {
  claimsOf,
  decodeJws,
  type KeySet,
  keySetOf,
  mintToken,
  publicKeySet,
  verifyToken,
} from "../identity/index.ts";
import { err, type JsonObject, parseJsonStrict, type Result } from "../kernel/index.ts";

/** Where the local signing key lives unless `--key` says otherwise. */
export const tokenKeyPathDefault = ".holdfast/token-key.json";
/** The issuer and audience of local tokens; a gateway's configuration must name the same. */
export const localIssuer = "holdfast-local";
export const localAudience = "holdfast";

interface MintOptions {
  readonly agent: string;
  readonly model?: string;
  readonly sub?: string;
  readonly tenant?: string;
  readonly act?: readonly string[];
  readonly scope?: string;
  readonly ttl: number;
  readonly issuer: string;
  readonly audience: string;
  readonly key: string;
}

interface InspectOptions {
  readonly jwks?: string;
  readonly issuer: string;
  readonly audience: string;
  readonly key: string;
}

/** Adds `token mint`, `token inspect` and `token keys`. */
export function registerTokenCommands(program: Command): void {
  const token = program.command("token").description("tokens that name an agent");
  token
    .command("mint")
    .description("sign a token with the local key and print it")
    .requiredOption("--agent <name>", "the agent: a plain name or a SPIFFE id")
    .option("--model <name>", "the model behind the agent")
    .option("--sub <name>", "the human the agent acts for")
    .option("--tenant <name>", "the tenant")
    .option("--act <agents...>", "agents it acts through, the nearest first")
    .option("--scope <words>", "scopes, separated by spaces")
    .option("--ttl <duration>", "how long it is valid: 90s, 15m, 1h, 7d", readDuration, 3600)
    .option("--issuer <issuer>", "iss", localIssuer)
    .option("--audience <audience>", "aud", localAudience)
    .option("--key <file>", "the private key; made when absent", tokenKeyPathDefault)
    .action(mint);
  token
    .command("inspect")
    .description("show a token's claims, and whether it would be accepted")
    .argument("<token>", "the token, or - to read it from standard input")
    .option("--jwks <file>", "the issuer's JWK Set; the local key when absent")
    .option("--issuer <issuer>", "the issuer that is trusted", localIssuer)
    .option("--audience <audience>", "the audience that is asked for", localAudience)
    .option("--key <file>", "the local private key", tokenKeyPathDefault)
    .action(inspect);
  token
    .command("keys")
    .description("print the JWK Set that verifies local tokens")
    .option("--key <file>", "the private key; made when absent", tokenKeyPathDefault)
    .action(async ({ key }: { readonly key: string }) => {
      const opened = await openTokenKey(key);
      if (!opened.ok) return complain(opened.error.detail);
      print(JSON.stringify(publicKeySet(opened.value), null, 2));
    });
}

async function mint(options: MintOptions): Promise<void> {
  const key = await openTokenKey(options.key);
  if (!key.ok) return complain(key.error.detail);
  const { agent, model, sub, tenant, act, scope, ttl, issuer, audience } = options;
  const request = {
    issuer,
    audience,
    agent,
    ...(model !== undefined && { model }),
    ...(sub !== undefined && { principal: sub }),
    ...(tenant !== undefined && { tenant }),
    ...(act !== undefined && { delegation: act }),
    ...(scope !== undefined && { claims: { scope } }),
    ttlS: ttl,
    jti: randomBytes(16).toString("base64url"),
  };
  const nowMs = Date.now();
  const minted = await mintToken(request, key.value, nowMs);
  const keys = keySetOf(publicKeySet(key.value));
  if (!keys.ok) return complain(keys.error);
  // A token that no gateway would accept is not handed out.
  const checked = await verifyToken(minted, { issuer, audiences: [audience] }, keys.value, nowMs);
  if (!checked.ok) return complain(`${checked.error.code}: ${checked.error.detail}`);
  print(minted);
}

async function inspect(argument: string, options: InspectOptions): Promise<void> {
  const text = argument === "-" ? await readFile("/dev/stdin", "utf8") : argument;
  const token = text.trim();
  const decoded = decodeJws(token);
  if (!decoded.ok) return complain(`refused: ${decoded.error.code}: ${decoded.error.detail}`);
  const claims = claimsOf(decoded.value);
  if (!claims.ok) return complain(`refused: ${claims.error.code}: ${claims.error.detail}`);
  print(JSON.stringify({ header: decoded.value.header, claims: claims.value }, null, 2));
  print(timesOf(claims.value));
  const keys = await trustedKeys(options);
  if (!keys.ok) return complain(keys.error);
  const trust = { issuer: options.issuer, audiences: [options.audience] };
  const verified = await verifyToken(token, trust, keys.value, Date.now());
  if (verified.ok) return print(`accepted: ${JSON.stringify(verified.value)}`);
  const { code, detail, next } = verified.error;
  complain(`refused: ${code}: ${detail}. ${next}`);
}

async function trustedKeys(options: InspectOptions): Promise<Result<KeySet, string>> {
  if (options.jwks === undefined) {
    const key = await openTokenKey(options.key);
    return key.ok ? keySetOf(publicKeySet(key.value)) : err(key.error.detail);
  }
  try {
    const parsed = parseJsonStrict(await readFile(options.jwks));
    return parsed.ok ? keySetOf(parsed.value) : err(`${options.jwks}: ${parsed.error.detail}`);
  } catch (thrown) {
    return err(`${options.jwks} cannot be read (${(thrown as NodeJS.ErrnoException).code}).`);
  }
}

function timesOf(claims: JsonObject): string {
  const named = ["iat", "nbf", "exp"].flatMap((name) => {
    const value = claims[name];
    const known = typeof value === "number" && Math.abs(value) < 8.64e12;
    return known ? [`${name} ${new Date(value * 1000).toISOString()}`] : [];
  });
  return named.join(", ");
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90s`, `15m`, `1h`, `7d`. */
function readDuration(text: string): number {
  const read = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  if (read === null) throw new InvalidArgumentError("Write it as 90s, 15m, 1h or 7d.");
  return Number(read[1]) * (secondsIn[read[2] ?? ""] ?? 0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}
