/** A LangGraph agent whose tools are behind Holdfast. Nothing here but the address and the token says so. */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ToolNode, toolsCondition } from "@langchain/langgraph/prebuilt";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";

export interface Holdfast {
  /** `https://holdfast.example.com/mcp/files` */
  readonly url: string;
  /** Who this agent is, signed by your identity provider. */
  readonly token: string;
}

/** Resolves with the agent's last words. A refused call is a tool message with `status: "error"` and the reason. */
export async function runAgent(
  model: BaseChatModel,
  task: string,
  { url, token }: Holdfast,
): Promise<string> {
  const files = {
    transport: "http" as const,
    url,
    headers: { authorization: `Bearer ${token}` },
    automaticSSEFallback: false,
  };
  const client = new MultiServerMCPClient({
    mcpServers: { files },
    // The adapter would show the model an answer's `_meta` too: 2 KB of receipt that a model has no use for.
    afterToolCall: ({ result: [content] }) => ({ result: [textOf(content), []] }),
  });
  try {
    const tools = await client.getTools();
    if (model.bindTools === undefined) throw new Error("this model cannot call tools");
    const withTools = model.bindTools(tools);
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("model", async ({ messages }) => ({ messages: [await withTools.invoke(messages)] }))
      .addNode("tools", new ToolNode(tools))
      .addEdge(START, "model")
      .addConditionalEdges("model", toolsCondition, ["tools", END])
      .addEdge("tools", "model")
      .compile();
    const { messages } = await graph.invoke({ messages: [{ role: "user", content: task }] });
    return messages.at(-1)?.text ?? "";
  } finally {
    await client.close();
  }
}

function textOf(content: string | readonly object[]): string {
  if (typeof content === "string") return content;
  return content.map((block) => ("text" in block ? String(block.text) : "")).join("\n");
}
