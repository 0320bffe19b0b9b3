/** An agent of the Vercel AI SDK whose tools are behind Holdfast. Nothing here but the address and the token says so. */
import { createMCPClient } from "@ai-sdk/mcp";
import { generateText, isStepCount, type LanguageModel } from "ai";

export interface Holdfast {
  /** `https://holdfast.example.com/mcp/files` */
  readonly url: string;
  /** Who this agent is, signed by your identity provider. */
  readonly token: string;
}

const stepsMax = 20;

/** Resolves with the agent's last words. A refused call is a tool result whose text says why. */
export async function runAgent(
  model: LanguageModel,
  task: string,
  { url, token }: Holdfast,
): Promise<string> {
  const client = await createMCPClient({
    transport: { type: "http", url, headers: { authorization: `Bearer ${token}` } },
  });
  try {
    const { text } = await generateText({
      model,
      instructions: "A refused tool call says why. Do what it suggests, or tell the user.",
      prompt: task,
      tools: await client.tools(),
      stopWhen: isStepCount(stepsMax),
    });
    return text;
  } finally {
    await client.close();
  }
}
