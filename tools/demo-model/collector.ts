/**
 * Where the shop's telemetry and the webhooks of its pipeline arrive: an OTLP/HTTP endpoint that writes each body to a file,
 * as a collector's file exporter does, for `holdfast model ingest` to read.
 */
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

/** By path: how a file is named, so that its source is known. */
const kinds: Readonly<Record<string, string>> = {
  "/v1/traces": "traces",
  "/v1/metrics": "metrics",
  "/v1/logs": "logs",
  "/webhooks": "webhook",
};

export class Collector {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(folder: string): Promise<Collector> {
    let count = 0;
    const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const kind = kinds[request.url ?? ""];
      const body = await buffer(request);
      if (kind === undefined) {
        response.writeHead(404).end();
        return;
      }
      count += 1;
      const isJson = (request.headers["content-type"] ?? "").includes("json");
      const name = `${String(count).padStart(5, "0")}-${kind}.${isJson ? "json" : "pb"}`;
      writeFileSync(join(folder, name), body);
      response.writeHead(200, { "content-type": request.headers["content-type"] ?? "" });
      response.end(isJson ? "{}" : undefined);
    };
    const server = createServer((request, response) => void take(request, response));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Collector(server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
