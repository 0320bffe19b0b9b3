/** From the configuration to what the identify stage needs: keys read, tokens digested. */
import { readFile } from "node:fs/promises";
import type { Config } from "../cli/index.ts";
import { type IdentifyConfig, type IssuerConfig, TokenIdentifier } from "../gateway/index.ts";
import {
  type DevelopmentToken,
  type KeySet,
  keySetOf,
  type SignatureAlg,
  type SignedAgent,
  signedAgents,
} from "../identity/index.ts";
import { err, ok, parseJsonStrict, type Result, sha256 } from "../kernel/index.ts";
import type { Clock, HttpTransport, Log } from "../ports.ts";

export interface IdentityPorts {
  readonly clock: Clock;
  readonly http: HttpTransport;
  readonly log: Log;
}

/** The identifier of this gateway. The error is a sentence that names the file. */
export async function identifierOf(
  config: Config,
  ports: IdentityPorts,
): Promise<Result<TokenIdentifier, string>> {
  const issuers = await issuersOf(config, config.identity.audience);
  if (!issuers.ok) return issuers;
  const signed = await signedRequests(config);
  if (!signed.ok) return signed;
  const identify: IdentifyConfig = {
    issuers: issuers.value,
    ...(signed.value === undefined ? {} : { signed: signed.value }),
    developmentTokens: developmentTokens(config),
    resource: config.public_url,
  };
  return ok(new TokenIdentifier(identify, ports));
}

/** Whose tokens count, when they are made for `audience`. */
export async function issuersOf(
  config: Config,
  audience: string,
): Promise<Result<readonly IssuerConfig[], string>> {
  const issuers: IssuerConfig[] = [];
  for (const issuer of config.identity.issuers) {
    const trust = {
      issuer: issuer.issuer,
      audiences: [audience],
      algorithms: issuer.algorithms as readonly SignatureAlg[],
      clockSkewS: issuer.skew_seconds,
      tenantDefault: config.tenant,
    };
    if (issuer.jwks_url !== undefined) {
      issuers.push({ ...trust, keys: { jwksUrl: issuer.jwks_url } });
      continue;
    }
    const keySet = await readKeySet(issuer.jwks_file ?? "");
    if (!keySet.ok) return keySet;
    issuers.push({ ...trust, keys: { keySet: keySet.value } });
  }
  return ok(issuers);
}

/** How far the clock of an agent that signs may be ahead; also how long after a start nothing signed is taken. */
const signatureSkewS = 5;

async function signedRequests(config: Config): Promise<Result<IdentifyConfig["signed"], string>> {
  const { signed_agents: configured, signature_seconds_max: lifetimeSMax } = config.identity;
  const agents: SignedAgent[] = [];
  for (const { jwks_file: file, agent, tenant, covers, model } of configured) {
    const keySet = await readKeySet(file);
    if (!keySet.ok) return keySet;
    const named = { agent, tenant, covers, ...(model === undefined ? {} : { model }) };
    const keyed = signedAgents(keySet.value, named);
    if (keyed.length === 0) return err(`${file}: no Ed25519 key for the agent ${agent}`);
    const twice = keyed.find(({ keyId }) => agents.some((other) => other.keyId === keyId));
    if (twice !== undefined) return err(`${file}: the key ${twice.keyId} is of another agent too`);
    agents.push(...keyed);
  }
  if (agents.length === 0) return ok(undefined);
  const authority = new URL(config.public_url).host;
  return ok({ agents, rules: { authority, lifetimeSMax, clockSkewS: signatureSkewS } });
}

async function readKeySet(path: string): Promise<Result<KeySet, string>> {
  try {
    const parsed = parseJsonStrict(await readFile(path));
    if (!parsed.ok) return err(`${path}: ${parsed.error.detail}`);
    const keys = keySetOf(parsed.value);
    return keys.ok ? keys : err(`${path}: ${keys.error}`);
  } catch (thrown) {
    return err(`${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

function developmentTokens(config: Config): readonly DevelopmentToken[] {
  return config.development_tokens.map(({ token, agent, model, principal, tenant }) => ({
    tokenSha256: sha256(token.reveal()),
    agent,
    tenant,
    ...(model === undefined ? {} : { model }),
    ...(principal === undefined ? {} : { principal }),
  }));
}
