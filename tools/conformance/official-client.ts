/** The official SDK's client, driven through one client scenario of the suite: does what any agent's client would do. */
import {
  Client,
  type FetchLike,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import type { Appointment } from "./meeting.ts";

interface Call {
  readonly name: string;
  readonly arguments?: Record<string, unknown>;
}

/**
 * Connects, lists, calls every tool, reads every resource and prompt. Resolves with what was said; a scenario may offer
 * tools that fail, or answers that the client refuses: the suite judges what its server saw.
 */
export async function driveOfficialClient(
  url: string,
  { revision, context }: Appointment,
  fetch?: FetchLike,
): Promise<string> {
  const client = clientFor(revision);
  const said: string[] = [];
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), fetch === undefined ? {} : { fetch }),
    );
    const { tools } = await client.listTools();
    const calls = (context["toolCalls"] as Call[] | undefined) ?? tools.map(callOf(tools));
    for (const each of await Promise.all(calls.map((call) => called(client, call))))
      said.push(each);
    await readAll(client);
  } finally {
    await client.close();
  }
  return said.join("\n");
}

function clientFor(revision: string): Client {
  const modern = revision >= "2026-07-28";
  const client = new Client(
    { name: "conformance", version: "1" },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } }, roots: {}, sampling: {} },
      ...(modern ? { versionNegotiation: { mode: "auto" } } : {}),
    },
  );
  client.setRequestHandler("elicitation/create", async () => ({
    action: "accept",
    content: { confirmed: true },
  }));
  client.setRequestHandler("roots/list", async () => ({ roots: [] }));
  client.setRequestHandler("sampling/createMessage", async () => ({
    role: "assistant",
    content: { type: "text", text: "sampled" },
    model: "scripted",
  }));
  return client;
}

interface Listed {
  readonly name: string;
  readonly inputSchema: { readonly properties?: object | undefined };
}

const samples: Readonly<Record<string, unknown>> = { number: 5, integer: 5, boolean: true };

/** Arguments that fit the schema; one scenario wants the schema of another tool handed back unchanged. */
const callOf =
  (tools: readonly Listed[]) =>
  ({ name, inputSchema }: Listed): Call => {
    if (name === "json_schema_echo") {
      const focal = tools.find((tool) => tool.name === "json_schema_2020_12_tool");
      return { name, arguments: { schema: focal?.inputSchema } };
    }
    const properties = Object.entries(inputSchema.properties ?? {}) as [
      string,
      { type?: string },
    ][];
    const filled = properties.map(([key, { type }]) => [key, samples[type ?? ""] ?? "text"]);
    return { name, arguments: Object.fromEntries(filled) };
  };

async function called(client: Client, { name, arguments: args }: Call): Promise<string> {
  const said = await client
    .callTool({ name, arguments: { ...args } })
    .then(({ content }) => JSON.stringify(content), String);
  return `${name}: ${said}`;
}

async function readAll(client: Client): Promise<void> {
  const offered = client.getServerCapabilities() ?? {};
  if (offered.resources !== undefined)
    for (const { uri } of (await client.listResources()).resources)
      await client.readResource({ uri });
  if (offered.prompts !== undefined)
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
}
