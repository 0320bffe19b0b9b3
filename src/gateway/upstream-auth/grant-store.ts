/** What an authorization server granted for one upstream, kept across restarts. */

import type { Result } from "../../kernel/index.ts";
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJsonStrict,
} from "../../kernel/index.ts";
import type { Disk, DiskError } from "../../ports.ts";
import type { OAuthClient } from "./token-endpoint.ts";

/** Everything is bound to the issuer that gave it and the resource it was given for. */
export interface Grant {
  readonly issuer: string;
  readonly resource: string;
  readonly client: OAuthClient;
  readonly scopes: readonly string[];
  readonly accessToken?: string;
  readonly refreshToken?: string;
  /** Wall-clock ms. */
  readonly expiresAtMs?: number;
}

const pathOf = (server: string): string => `upstream-auth/${server}.json`;

/** The stored grant; anything unreadable counts as none, and a new authorization replaces it. */
export async function loadGrant(disk: Disk, server: string): Promise<Grant | undefined> {
  const read = await disk.read(pathOf(server));
  if (!read.ok) return undefined;
  const parsed = parseJsonStrict(read.value);
  return parsed.ok && isJsonObject(parsed.value) ? readGrant(parsed.value) : undefined;
}

/** Durable when it resolves ok. */
export function saveGrant(
  disk: Disk,
  server: string,
  grant: Grant,
): Promise<Result<void, DiskError>> {
  return disk.replace(pathOf(server), new TextEncoder().encode(`${JSON.stringify(grant)}\n`));
}

function readGrant(held: JsonObject): Grant | undefined {
  const { issuer, resource, client, scopes, accessToken, refreshToken, expiresAtMs } = held;
  if (typeof issuer !== "string" || typeof resource !== "string") return undefined;
  const known = isJsonObject(client) ? readClient(client) : undefined;
  if (known === undefined) return undefined;
  return {
    issuer,
    resource,
    client: known,
    scopes: isJsonArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [],
    ...text("accessToken", accessToken),
    ...text("refreshToken", refreshToken),
    ...(typeof expiresAtMs === "number" && { expiresAtMs }),
  };
}

function readClient(held: JsonObject): OAuthClient | undefined {
  const { clientId, clientSecret, tokenAuthMethod } = held;
  if (typeof clientId !== "string") return undefined;
  return {
    clientId,
    ...text("clientSecret", clientSecret),
    ...text("tokenAuthMethod", tokenAuthMethod),
  };
}

function text<N extends string>(name: N, value: JsonValue | undefined): { [K in N]?: string } {
  return (typeof value === "string" ? { [name]: value } : {}) as { [K in N]?: string };
}
