/** An upstream inside the test: an HTTP API, and a dual-era MCP server below `/mcp`. What reaches it is kept. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { everythingListener } from "../../fixtures/everything-server.ts";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Empty for MCP. */
  readonly body: string;
}

/** One request that waits inside the upstream. */
export interface Held {
  /** Resolves when it has come. */
  readonly arrived: Promise<void>;
  /** Answers it. */
  release(): void;
  /** Breaks its connection. */
  cut(): void;
}

export interface Desk {
  readonly url: string;
  readonly seen: Seen[];
  /** Holds the next request to the HTTP API. */
  hold(): Held;
  close(): void;
}

interface Waiting {
  readonly come: () => void;
  response?: ServerResponse;
}

export async function startDesk(): Promise<Desk> {
  const seen: Seen[] = [];
  const waiting: Waiting[] = [];
  const mcp = everythingListener();
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/mcp")) {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body: "" });
      return void mcp(request, response);
    }
    const take = async (): Promise<void> => {
      const body = await text(request);
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, headers, body });
      const next = waiting.shift();
      if (next === undefined) return answer(response);
      next.response = response;
      next.come();
    };
    take().catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    hold() {
      let come = (): void => undefined;
      const arrived = new Promise<void>((resolve) => {
        come = resolve;
      });
      const held: Waiting = { come };
      waiting.push(held);
      return {
        arrived,
        release: () => held.response && answer(held.response),
        cut: () => held.response?.destroy(),
      };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end('{"done":true}');
}
