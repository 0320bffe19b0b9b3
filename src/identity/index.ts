export { type Instant, VerifiedTokens } from "./cache.ts";
export {
  bearerChallenge,
  type Challenge,
  type ProtectedResource,
  protectedResourceMetadata,
  resourceMetadataUrl,
} from "./challenge.ts";
export { type ClaimNames, claimNamesDefault } from "./claims.ts";
export {
  type ProvenSignature,
  type SignatureRules,
  type SignedAgent,
  type SignedMessage,
  signedAgents,
  verifyHttpSignature,
} from "./http-signature.ts";
export type { Identity, IdentityError } from "./identity.ts";
export {
  type DecodedJws,
  decodeJws,
  type KeySet,
  keySetOf,
  type SignatureAlg,
  signatureAlgs,
  thumbprint,
  verifyJws,
} from "./jws.ts";
export { mintToken, publicKeySet, type TokenRequest } from "./mint.ts";
export {
  type OverrideClaims,
  overrideKeyId,
  signOverride,
  verifyOverride,
} from "./override-token.ts";
export { SeenNonces } from "./seen-nonces.ts";
export {
  claimedIssuer,
  claimsOf,
  type DevelopmentToken,
  developmentIdentity,
  type IssuerTrust,
  tenantDefault,
  verifyToken,
} from "./token.ts";
