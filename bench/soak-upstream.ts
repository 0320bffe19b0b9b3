/** What a soaked gateway has behind it: an HTTP API with every kind of answer, and MCP servers of both eras. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { everythingListener } from "../test/fixtures/everything-server.ts";

const slowMs = 60;
const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "/charge": (response) => json(response, 200, { done: true, pad: "y".repeat(300) }),
  "/card": (response) => json(response, 200, { done: true }),
  "/fault": (response) => json(response, 500, { error: "the upstream is broken" }),
  "/cut": (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
    response.write('{"begun":');
    setTimeout(() => response.destroy(), 2);
  },
  "/slow": (response) => void setTimeout(() => json(response, 200, {}), slowMs),
  "/events": (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let i = 0; i < 5; i++) response.write(`data: {"n":${i}}\n\n`);
    response.end();
  },
};

const mcp = {
  "/mcp": everythingListener("both"),
  "/older": everythingListener("older"),
  "/stateless": everythingListener("stateless"),
} as const;

function json(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "/";
  const server = mcp[path as keyof typeof mcp];
  if (server !== undefined) {
    server(request, response);
    return;
  }
  request.resume().on("end", () => {
    const answer = answers[path] ?? ((to: ServerResponse) => json(to, 404, {}));
    answer(response);
  });
}

const server = createServer(serve);
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
