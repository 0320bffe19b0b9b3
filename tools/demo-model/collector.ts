/**
 * Where the shop's telemetry and the announcements of its pipeline arrive: an OTLP/HTTP endpoint that keeps what came, as a
 * collector's file exporter does, for `holdfast model ingest` to read. Spans of one request come from several services, so
 * each kind goes into one file.
 */
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

/** By path: the file. Messages of protobuf one after the other are one message; JSON goes line by line. */
const files: Readonly<Record<string, string>> = {
  "/v1/traces": "traces.pb",
  "/v1/metrics": "metrics.pb",
  "/v1/logs": "logs.jsonl",
  "/webhooks": "pipeline.jsonl",
};

export class Collector {
  readonly url: string;
  readonly #server: Server;
  readonly #kept: Map<string, Buffer[]>;

  private constructor(server: Server, kept: Map<string, Buffer[]>) {
    this.#server = server;
    this.#kept = kept;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Collector> {
    const kept = new Map<string, Buffer[]>();
    const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const file = files[request.url ?? ""];
      const body = await buffer(request);
      if (file === undefined) {
        response.writeHead(404).end();
        return;
      }
      const pieces = file.endsWith(".jsonl") ? [body, Buffer.from("\n")] : [body];
      kept.set(file, [...(kept.get(file) ?? []), ...pieces]);
      response.writeHead(200, { "content-type": request.headers["content-type"] ?? "" });
      response.end(file.endsWith(".jsonl") ? "{}" : undefined);
    };
    const server = createServer((request, response) => void take(request, response));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Collector(server, kept);
  }

  /** Writes what came since the last time. */
  flush(folder: string): void {
    for (const [file, pieces] of this.#kept)
      writeFileSync(join(folder, file), Buffer.concat(pieces));
    this.#kept.clear();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
