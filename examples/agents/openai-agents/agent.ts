/** An agent of the OpenAI Agents SDK whose tools are behind Holdfast. Nothing here but the address and the token says so. */
import { Agent, MCPServerStreamableHttp, type Model, run } from "@openai/agents";

export interface Holdfast {
  /** `https://holdfast.example.com/mcp/files` */
  readonly url: string;
  /** Who this agent is, signed by your identity provider. */
  readonly token: string;
}

/** Resolves with the agent's last words. A refused call is a tool result whose text says why. */
export async function runAgent(
  model: Model | string,
  task: string,
  { url, token }: Holdfast,
): Promise<string> {
  const files = new MCPServerStreamableHttp({
    name: "files",
    url,
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    // The list that Holdfast gives is the caller's own, so it can be kept for the life of the agent.
    cacheToolsList: true,
  });
  await files.connect();
  try {
    const agent = new Agent({
      name: "archivist",
      instructions: "A refused tool call says why. Do what it suggests, or tell the user.",
      model,
      mcpServers: [files],
    });
    const { finalOutput } = await run(agent, task);
    return String(finalOutput ?? "");
  } finally {
    await files.close();
  }
}
