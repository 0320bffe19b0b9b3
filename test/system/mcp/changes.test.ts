/** A change of policy is told to everyone who listens for changes of tools, in both eras and at the aggregate. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { everythingListener } from "../../fixtures/everything-server.ts";
import { fakeSpine } from "../../fixtures/fake-spine.ts";
import {
  auto,
  listen,
  startGateway,
  type TestGateway,
  type TestHttpServer,
} from "../../fixtures/mcp-gateway.ts";

const spine = fakeSpine();
let http: TestHttpServer;
let silent: TestHttpServer;
let gateway: TestGateway;

beforeAll(async () => {
  http = await listen(everythingListener());
  const command = [process.execPath, "test/fixtures/everything-server.ts", "--stdio"] as const;
  const serve = everythingListener("older");
  // A server may refuse the GET stream (MCP 2025-11-25, "Listening for Messages from the Server").
  silent = await listen((request, response) =>
    request.method === "GET" ? void response.writeHead(405).end() : serve(request, response),
  );
  const upstreams = {
    http: { url: `${http.url}/mcp` },
    silent: { url: `${silent.url}/mcp` },
    stdio: { command },
  };
  gateway = await startGateway(upstreams, spine);
});
afterAll(async () => {
  await gateway.close();
  http.close();
  silent.close();
});

for (const server of ["http", "silent", "stdio", ""])
  for (const [mode, options] of [
    ["legacy", {}],
    ["modern", auto],
  ] as const)
    test(`${mode} listener of /mcp/${server}`, async () => {
      let told = 0;
      const onChanged = (): void => {
        told += 1;
      };
      const client = await gateway.client(server, {
        ...options,
        listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
      });
      expect(client.getProtocolEra()).toBe(mode);
      await client.listTools();
      await expect
        .poll(
          () => {
            spine.changePolicy();
            return told;
          },
          { timeout: 5_000, interval: 100 },
        )
        .toBeGreaterThan(0);
    });
