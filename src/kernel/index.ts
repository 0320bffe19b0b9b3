export { assert, InvariantError, unreachable } from "./assert.ts";
export { callId, serverNamePattern, splitToolId, type ToolId, toolId } from "./ids.ts";
export {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
} from "./json.ts";
export { err, ok, type Result } from "./result.ts";
