/** Serves tools of ours over MCP on standard input and output, in both eras of the protocol. */
import { fromJsonSchema, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { JsonObject, Result } from "../../kernel/index.ts";

/** A tool that changes nothing. */
export interface ReadingTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema; arguments that do not satisfy it never reach `run`. */
  readonly inputSchema: JsonObject;
  /** The error is a sentence for the model of the agent. */
  run(args: JsonObject): Promise<Result<JsonObject, string>>;
}

export interface ServedTools {
  readonly name: string;
  readonly version: string;
  /** For the agent's model: what these are good for. */
  readonly instructions: string;
  readonly tools: readonly ReadingTool[];
}

/** Resolves when the client has gone away. */
export async function serveTools({
  name,
  version,
  instructions,
  tools,
}: ServedTools): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("close", resolve);
  });
  const handle = serveStdio(() => {
    const server = new McpServer({ name, version }, { instructions, capabilities: { tools: {} } });
    for (const tool of tools) register(server, tool);
    return server;
  });
  await gone;
  await handle.close();
}

function register(server: McpServer, { name, description, inputSchema, run }: ReadingTool): void {
  const annotations = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
  server.registerTool(
    name,
    { description, inputSchema: fromJsonSchema(inputSchema as never), annotations },
    async (args: unknown) => {
      const answer = await run((args ?? {}) as JsonObject);
      // Agents show their model the text, so a refusal stands there too.
      return answer.ok
        ? {
            content: [{ type: "text" as const, text: JSON.stringify(answer.value) }],
            structuredContent: answer.value,
          }
        : { isError: true, content: [{ type: "text" as const, text: answer.error }] };
    },
  );
}
