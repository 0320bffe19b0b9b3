/** From the claims of a verified token to an `Identity`. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../kernel/index.ts";
import type { Identity, IdentityError } from "./identity.ts";

/** Which claims carry what. Every name is tried in order; the first that is present counts, and must be well formed. */
export interface ClaimNames {
  readonly agent: readonly string[];
  readonly model: readonly string[];
  readonly principal: readonly string[];
  readonly tenant: readonly string[];
  /** Claims handed to policy as `subject.properties`, under their own names. */
  readonly properties: readonly string[];
}

export const claimNamesDefault: ClaimNames = {
  agent: ["agent", "client_id", "azp"],
  model: ["model"],
  principal: ["sub"],
  tenant: ["tenant"],
  properties: ["scope", "roles", "groups"],
};

/** Actors in one chain, `agent` not counted. */
const delegationDepthMax = 8;

/** Agents and tenants: printable ASCII without spaces, so that two names that look alike are alike. */
const machineName = /^[\x21-\x7e]{1,256}$/;
/** People and models: no control, format or unassigned characters. */
const humanName = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;

/** Who a set of claims speaks of, without the times. */
export type Who = Omit<Identity, "how" | "expiresAtMs">;

/** Reads the claims. The caller has verified the signature, issuer, audience and times. */
export function whoOf(
  claims: JsonObject,
  names: ClaimNames,
  tenantDefault: string,
): Result<Who, IdentityError> {
  const agent = named(claims, names.agent, machineName);
  if (!agent.ok) return agent;
  if (agent.value === undefined) {
    return refuse("missing_claim", `the token names no agent: no claim ${names.agent.join(", ")}`);
  }
  const model = named(claims, names.model, humanName);
  if (!model.ok) return model;
  const principal = named(claims, names.principal, humanName);
  if (!principal.ok) return principal;
  const tenant = named(claims, names.tenant, machineName);
  if (!tenant.ok) return tenant;
  const delegation = delegationOf(agent.value, claims["act"], claims["iss"]);
  if (!delegation.ok) return delegation;
  return ok({
    agent: agent.value,
    ...(model.value !== undefined && { model: model.value }),
    // A client that acts for itself has its own id as `sub` (RFC 9068 §2.2): no human stands behind it.
    ...(principal.value !== undefined &&
      !isClient(claims, agent.value, principal.value) && { principal: principal.value }),
    tenant: tenant.value ?? tenantDefault,
    delegation: delegation.value,
    properties: propertiesOf(claims, names.properties),
  });
}

function isClient(claims: JsonObject, agent: string, principal: string): boolean {
  return principal === agent || principal === claims["client_id"] || principal === claims["azp"];
}

function named(
  claims: JsonObject,
  names: readonly string[],
  form: RegExp,
): Result<string | undefined, IdentityError> {
  const name = names.find((candidate) => claims[candidate] !== undefined);
  if (name === undefined) return ok(undefined);
  const value = claims[name];
  if (typeof value === "string" && form.test(value)) return ok(value);
  return refuse("bad_claim", `the claim ${name} is not a name of 1 to 256 plain characters`);
}

/**
 * The chain of RFC 8693 §4.1: the outermost `act` is the current actor, each nested one the actor before. The agent
 * itself is left out when it leads the chain. Every other actor stays: rights are the intersection along the chain, so
 * an actor that is dropped would be rights gained. An actor that comes back is a cycle, and refused.
 */
function delegationOf(
  agent: string,
  act: JsonValue | undefined,
  issuer: JsonValue | undefined,
): Result<readonly string[], IdentityError> {
  const chain: string[] = [];
  for (let link = act; link !== undefined; ) {
    if (chain.length > delegationDepthMax) {
      return refuse("delegation_too_deep", `the act chain has over ${delegationDepthMax} actors`);
    }
    if (!isJsonObject(link)) return refuse("bad_claim", "act is not an object");
    const { sub, iss, act: next } = link;
    if (typeof sub !== "string" || !machineName.test(sub)) {
      return refuse(
        "bad_claim",
        "an actor in act has no sub of 1 to 256 printable ASCII characters",
      );
    }
    if (iss !== undefined && iss !== issuer) {
      return refuse("bad_claim", `the actor ${sub} is named by another issuer than the token's`);
    }
    chain.push(sub);
    link = next;
  }
  const delegation = chain[0] === agent ? chain.slice(1) : chain;
  if (delegation.length > delegationDepthMax) {
    return refuse("delegation_too_deep", `the act chain has over ${delegationDepthMax} actors`);
  }
  if (new Set([agent, ...delegation]).size !== delegation.length + 1) {
    return refuse("delegation_cycle", "an actor stands twice in the act chain");
  }
  return ok(delegation);
}

/** `scope` is one string of words on the wire (RFC 8693 §4.2); policy sees it as a list. */
function propertiesOf(claims: JsonObject, names: readonly string[]): JsonObject {
  const properties: Record<string, JsonValue> = {};
  for (const name of names) {
    const value = claims[name];
    if (value === undefined) continue;
    const words = (name === "scope" || name === "scp") && !isJsonArray(value);
    properties[name] = words ? String(value).split(" ").filter(Boolean) : value;
  }
  return properties;
}

function refuse(code: IdentityError["code"], detail: string): Result<never, IdentityError> {
  return err({ code, detail, next: "Ask the issuer for a token with the right claims." });
}
