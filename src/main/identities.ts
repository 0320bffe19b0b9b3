/** From the configuration to what the identify stage needs: keys read, tokens digested. */
import { readFile } from "node:fs/promises";
import type { Config } from "../cli/index.ts";
import { type IdentifyConfig, type IssuerConfig, TokenIdentifier } from "../gateway/index.ts";
import {
  type DevelopmentToken,
  type KeySet,
  keySetOf,
  type SignatureAlg,
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
  const issuers: IssuerConfig[] = [];
  for (const issuer of config.identity.issuers) {
    const trust = {
      issuer: issuer.issuer,
      audiences: [config.identity.audience],
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
  const identify: IdentifyConfig = {
    issuers,
    developmentTokens: developmentTokens(config),
    resource: config.public_url,
  };
  return ok(new TokenIdentifier(identify, ports));
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
