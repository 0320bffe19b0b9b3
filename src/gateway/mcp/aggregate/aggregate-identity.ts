/** What the aggregate says of itself. */
import type { JsonObject } from "../../../kernel/index.ts";
import { metaKey, modernVersion } from "../wire/eras.ts";

export const serverInfo: JsonObject = { name: "holdfast", version: "0.1.0" };
export const capabilities: JsonObject = {
  tools: { listChanged: true },
  prompts: {},
  resources: {},
  completions: {},
};

export function discovered(): JsonObject {
  return {
    resultType: "complete",
    ttlMs: 0,
    cacheScope: "private",
    supportedVersions: [modernVersion],
    capabilities,
    _meta: { [metaKey.serverInfo]: serverInfo },
  };
}
