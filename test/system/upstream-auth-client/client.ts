/**
 * An MCP client whose every request carries the credentials of `UpstreamCredentials`, for the client scenarios of the
 * MCP conformance suite. Run by the suite: `node client.ts <server url>`.
 */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { UpstreamCredentials } from "../../../src/gateway/upstream-auth/authorizer.ts";
import type { UpstreamAuthConfig } from "../../../src/gateway/upstream-auth/config.ts";
import { realWorld } from "./world.ts";

const url = process.argv.at(-1) ?? "";
const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as Record<
  string,
  string
>;
const { client_id: clientId, client_secret: clientSecret } = context;
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";

const config: UpstreamAuthConfig =
  scenario.includes("client-credentials") && clientId && clientSecret
    ? { kind: "client_credentials", url, clientId, clientSecret }
    : {
        kind: "authorization_code",
        url,
        redirectUri: "http://localhost:3000/callback",
        clientIdMetadataUrl: "https://conformance-test.local/client-metadata.json",
        authorize: "automatic",
        ...(clientId && { clientId }),
        ...(clientSecret && { clientSecret }),
      };
const credentials = new UpstreamCredentials(
  { upstream: config },
  realWorld({
    write: (level, event, fields) =>
      process.stderr.write(`${level} ${event} ${JSON.stringify(fields)}\n`),
  }),
);

const triesMax = 4;
const governed: typeof fetch = async (to, init) => {
  for (let tries = 1; ; tries++) {
    const added = await credentials.headersFor("upstream");
    if (!added.ok) throw new Error(added.error.detail);
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(added.value)) headers.set(name, value);
    const response = await fetch(to, { ...init, headers });
    if ((response.status !== 401 && response.status !== 403) || tries === triesMax) return response;
    const asked = response.headers.get("www-authenticate") ?? undefined;
    const answer = await credentials.onChallenge("upstream", response.status, asked, added.value);
    if (answer !== "retry") return response;
    await response.body?.cancel();
  }
};

const stateless = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] === "2026-07-28";
const client = new Client(
  { name: "holdfast-test", version: "1.0.0" },
  stateless ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {},
);
await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: governed }));
const { tools } = await client.listTools();
for (const tool of tools) await client.callTool({ name: tool.name, arguments: {} });
await client.close();
