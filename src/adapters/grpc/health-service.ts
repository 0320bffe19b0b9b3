/**
 * Answers the gRPC Health Checking Protocol by the gate: SERVING only while the site may act. `Watch` is left unimplemented, as
 * the protocol allows, so that every answer is of the moment it was asked for.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { checkPath, decodeRequest, encodeResponse, framed, messageIn } from "./health-messages.ts";

export interface HealthServiceParts {
  readonly listen: { readonly host: string; readonly port: number };
  readonly site: string;
  /** Names that are asked for besides the empty one, which is the server as a whole. */
  readonly services: readonly string[];
  /** When it throws, the site may not act. */
  readonly serves: () => boolean;
}

export interface HealthService {
  readonly port: number;
  close(): Promise<void>;
}

const questionBytesMax = 1_024;
const silentMs = 60_000;
const connectionsMax = 256;
/** Status codes of gRPC. */
const [okCode, invalidArgument, notFound, unimplemented] = ["0", "3", "5", "12"];

/** In plain text. Rejects when it cannot listen. */
export async function serveHealth(parts: HealthServiceParts): Promise<HealthService> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session)).on("error", () => session.destroy());
    if (sessions.size > connectionsMax) session.destroy();
    session.setTimeout(silentMs, () => session.destroy());
  });
  server.on("stream", (stream, headers) => answer(parts, stream, headers));
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(parts.listen.port, parts.listen.host, listening);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function answer(
  parts: HealthServiceParts,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  let body: Buffer = Buffer.alloc(0);
  stream.on("error", () => stream.destroy());
  stream.on("data", (piece: Buffer) => {
    body = Buffer.concat([body, piece]);
    if (body.length > questionBytesMax) stream.destroy();
  });
  stream.on("end", () => {
    const refusal = refusalOf(parts, headers, body);
    const nonce = headers["holdfast-nonce"];
    const head = {
      ...{ ":status": 200, "content-type": "application/grpc", "holdfast-site": parts.site },
      ...(nonce === undefined ? {} : { "holdfast-nonce": nonce }),
    };
    if (refusal !== undefined) {
      stream.respond({ ...head, "grpc-status": refusal }, { endStream: true });
      return;
    }
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": okCode }));
    stream.respond(head, { waitForTrailers: true });
    stream.end(framed(encodeResponse(serves(parts) ? "SERVING" : "NOT_SERVING")));
  });
}

/** The status code with which it is not answered. */
function refusalOf(
  { services }: HealthServiceParts,
  headers: IncomingHttpHeaders,
  body: Buffer,
): string | undefined {
  if (headers[":path"] !== checkPath || headers[":method"] !== "POST") return unimplemented;
  const message = messageIn(body);
  const service = message === undefined ? undefined : decodeRequest(message);
  if (service === undefined) return invalidArgument;
  return service === "" || services.includes(service) ? undefined : notFound;
}

function serves({ serves: ask }: HealthServiceParts): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}
