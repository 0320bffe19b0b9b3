/** Keys made for one test run. */
import { generateKeyPairSync } from "node:crypto";
import type { JsonObject } from "../../../src/kernel/index.ts";

export interface TestKey {
  readonly privateJwk: JsonObject;
  readonly publicJwk: JsonObject;
}

export function ed25519(kid: string): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return jwks(privateKey.export({ format: "jwk" }), publicKey.export({ format: "jwk" }), kid);
}

export function p256(kid: string): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return jwks(privateKey.export({ format: "jwk" }), publicKey.export({ format: "jwk" }), kid);
}

export function rsa(kid: string, bits = 2048): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return jwks(privateKey.export({ format: "jwk" }), publicKey.export({ format: "jwk" }), kid);
}

function jwks(privateJwk: object, publicJwk: object, kid: string): TestKey {
  return {
    privateJwk: { ...(privateJwk as JsonObject), kid },
    publicJwk: { ...(publicJwk as JsonObject), kid },
  };
}
