/** `holdfast mcp wrap -- <command …>`: the same enforcement around one stdio MCP server, for desktop clients. */
import type { Config } from "../cli/index.ts";
import { complain } from "./process.ts";

export async function wrap(
  _config: Config,
  _agentToken: string,
  _command: readonly string[],
): Promise<number> {
  return complain("mcp wrap", "not built yet");
}
