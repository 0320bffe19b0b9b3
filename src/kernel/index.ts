export { assert, InvariantError, unreachable } from "./assert.ts";
export { canonicalJson } from "./canonical-json.ts";
export { digestOf, sha256, sha256Hex } from "./digest.ts";
export { ed25519Key, verifyEd25519 } from "./ed25519.ts";
export { callId, serverNamePattern, splitToolId, type ToolId, toolId } from "./ids.ts";
export { instantMs, instantText } from "./instant.ts";
export {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from "./json.ts";
export { hasMember, itemsOfJson, sliceJson } from "./json-slice.ts";
export { type SpliceRefusal, spliceJson } from "./json-splice.ts";
export { nearestWord } from "./nearest-word.ts";
export type { CallObservation, TraceBeside } from "./observation.ts";
export { readBody } from "./read-body.ts";
export { err, ok, type Result } from "./result.ts";
export {
  foldName,
  type JsonLimits,
  type JsonRefusal,
  type JsonRefusalKind,
  parseJsonStrict,
} from "./strict-json.ts";
export { type TransportError, TransportFailure } from "./transport-failure.ts";
export { isWellFormed } from "./well-formed.ts";
