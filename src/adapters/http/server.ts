/** The front server on `node:http`: sockets in, `FrontRequest` values out, limits enforced on the way. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  problemResponse,
} from "../../gateway/index.ts";
import type { Log, Telemetry } from "../../ports.ts";
import { Bodies } from "./bodies.ts";
import { Connections } from "./connections.ts";
import { type FrontLimits, frontLimitsDefault } from "./limits.ts";
import { connectionsWithin, openFilesMax } from "./open-files.ts";
import {
  bodyTooLarge,
  type FrontRefusal,
  headRefusal,
  noRoomForBody,
  noTunnel,
  tooManyConnections,
  tooManyRequests,
  unmetExpectation,
  unreadable,
} from "./refusals.ts";
import { send } from "./send.ts";
import { Visit } from "./visit.ts";

export interface FrontServer {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more connections, lets open answers end for `graceMs`, then cuts them. Streams never end by themselves:
   * once `settled` resolves, what is still open is cut after a moment.
   */
  close(graceMs?: number, settled?: Promise<void>): Promise<void>;
}

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly limits?: Partial<FrontLimits>;
  /** What the front refuses is counted here, as `front_refusals` by reason. */
  readonly telemetry?: Pick<Telemetry, "count">;
}

/** Listens. Port 0 takes any free one. Rejects when the address is taken or not ours. */
export async function serveFront(face: FrontFace, options: FrontOptions): Promise<FrontServer> {
  const limits = limitsFor(options);
  const gate = new Gate(face, limits, options);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      // Also against `node --insecure-http-parser` in somebody's NODE_OPTIONS.
      insecureHTTPParser: false,
    },
    (incoming, outgoing) => gate.take(incoming, outgoing),
  );
  gate.attach(server);
  // Every header reaches `headRefusal`, which counts them; node would drop those over its own limit in silence.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  const close = (graceMs = 0, settled?: Promise<void>): Promise<void> =>
    closed(server, graceMs, settled);
  return { url: `http://${host}:${port}`, port, close };
}

function limitsFor({ limits: given, log }: FrontOptions): FrontLimits {
  const limits = { ...frontLimitsDefault, ...given };
  const filesMax = openFilesMax();
  const connectionsMax = connectionsWithin(limits.connectionsMax, filesMax);
  if (connectionsMax < limits.connectionsMax)
    log.write("warn", "http.open_files_low", {
      open_files_max: filesMax,
      connections_max: connectionsMax,
      wanted: limits.connectionsMax,
      next: "raise the limit of open files (LimitNOFILE, ulimit -n), or lower limits.connections_max",
    });
  return { ...limits, connectionsMax };
}

/** For the last bytes of answers to leave. */
const lingerMs = 250;
/** How long the rest of a refused request is read and dropped, so that its client can read why. */
const dropMs = 2_000;

async function closed(server: Server, graceMs: number, settled?: Promise<void>): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cuts: NodeJS.Timeout[] = [];
  const cutAfter = (ms: number): void => {
    cuts.push(setTimeout(() => server.closeAllConnections(), ms));
  };
  cutAfter(graceMs);
  settled?.then(() => cutAfter(Math.min(lingerMs, graceMs))).catch(() => undefined);
  await done;
  for (const cut of cuts) clearTimeout(cut);
}

class Gate {
  readonly #face: FrontFace;
  readonly #limits: FrontLimits;
  readonly #options: FrontOptions;
  readonly #bodies: Bodies;
  readonly #connections: Connections;
  /** Refused: nothing more of them is served, as RFC 9112 §9.6 demands of a server that says `close`. */
  readonly #refused = new WeakSet<Socket>();
  /** Being sent an answer that is whole: they must take it. */
  readonly #sending = new WeakSet<Socket>();
  #open = 0;

  constructor(face: FrontFace, limits: FrontLimits, options: FrontOptions) {
    this.#face = face;
    this.#limits = limits;
    this.#options = options;
    this.#bodies = new Bodies(limits.bodiesBytesMax);
    this.#connections = new Connections(limits.connectionsMax, (socket) =>
      this.#end(socket, tooManyConnections(limits)),
    );
  }

  attach(server: Server): void {
    server.on("connection", (socket: Socket) => this.#connections.opened(socket));
    server.on("checkContinue", (incoming, outgoing) => this.take(incoming, outgoing, true));
    server.on("checkExpectation", (incoming, outgoing) => {
      this.#refuse(incoming, outgoing, unmetExpectation());
    });
    server.on("connect", (_incoming, socket: Duplex) => this.#end(socket, noTunnel()));
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
      if (error.code === "ECONNRESET") socket.destroy();
      // What could not be read comes after a request that was refused already.
      else if (this.#refused.has(socket as Socket)) (socket as Socket).destroySoon();
      else this.#end(socket, unreadable(error.code, this.#limits));
    });
    server.on("timeout", (socket: Socket) => {
      if (this.#sending.has(socket)) this.#count("stalled");
      // An idle connection, or one that takes nothing of its answer; not one whose answer is still being made.
      if (this.#sending.has(socket) || !this.#connections.isAnswering(socket)) socket.destroy();
    });
  }

  take(incoming: IncomingMessage, outgoing: ServerResponse, continues = false): void {
    if (this.#refused.has(incoming.socket)) return;
    const visit = new Visit();
    outgoing.once("close", () => {
      this.#sending.delete(incoming.socket);
      visit.end();
    });
    this.#serve(incoming, outgoing, visit, continues).catch((thrown: unknown) => {
      this.#options.log.write("error", "http.request_failed", { detail: String(thrown) });
      outgoing.destroy();
    });
  }

  async #serve(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    visit: Visit,
    continues: boolean,
  ): Promise<void> {
    const headers = headersOf(incoming);
    const refused = headRefusal(incoming, headers, this.#limits) ?? this.#crowded();
    if (refused !== undefined) return this.#refuse(incoming, outgoing, refused);
    if (continues) outgoing.writeContinue();
    const body = await this.#bodies.read(incoming, this.#limits.bodyBytesMax);
    if (!body.ok && body.error === "gone") return;
    if (!body.ok) {
      const full = body.error === "no_room" ? noRoomForBody : bodyTooLarge;
      return this.#refuse(incoming, outgoing, full(this.#limits));
    }
    visit.onEnd(body.value.release);
    const crowded = this.#crowded();
    if (crowded !== undefined) return this.#refuse(incoming, outgoing, crowded);
    this.#enter(incoming.socket, visit);
    const url = incoming.url ?? "/";
    const mark = url.indexOf("?");
    const request: FrontRequest = {
      method: incoming.method ?? "GET",
      path: mark < 0 ? url : url.slice(0, mark),
      query: mark < 0 ? "" : url.slice(mark + 1),
      headers,
      body: body.value.bytes,
      get signal() {
        return visit.signal;
      },
    };
    const answer = await this.#answer(request);
    // From here on it is the client's turn: it must take what is sent. A stream has its own watch (`send`).
    if (answer.body instanceof Uint8Array && !visit.over) {
      this.#sending.add(incoming.socket);
      incoming.socket.setTimeout(this.#limits.stalledTimeoutMs);
    }
    await send(outgoing, answer, this.#limits.stalledTimeoutMs);
  }

  #crowded(): FrontRefusal | undefined {
    const { concurrentRequestsMax } = this.#limits;
    return this.#open >= concurrentRequestsMax ? tooManyRequests(this.#limits) : undefined;
  }

  #enter(socket: Socket, visit: Visit): void {
    this.#open += 1;
    const left = this.#connections.answers(socket);
    visit.onEnd(() => {
      this.#open -= 1;
      left();
    });
  }

  async #answer(request: FrontRequest): Promise<FrontResponse> {
    try {
      return await this.#face(request);
    } catch (thrown) {
      const fields = { path: request.path, detail: String(thrown) };
      this.#options.log.write("error", "http.face_failed", fields);
      return problemResponse(
        500,
        "Internal error",
        "Nothing is known of what happened. See the log.",
      );
    }
  }

  #count(reason: FrontRefusal["reason"]): void {
    this.#options.telemetry?.count("front_refusals", { reason });
  }

  /**
   * The connection ends with the answer. What comes of the request meanwhile is read and dropped for a while: a close
   * with unread bytes is a reset, and the client would never see why it was refused.
   */
  #refuse(incoming: IncomingMessage, outgoing: ServerResponse, refusal: FrontRefusal): void {
    this.#count(refusal.reason);
    this.#refused.add(incoming.socket);
    const { status, headers, body } = whole(refusal.response);
    outgoing.writeHead(status, { ...headers, connection: "close", "content-length": body.length });
    outgoing.write(body);
    const end = (): void => {
      clearTimeout(late);
      outgoing.end();
    };
    const late = setTimeout(end, dropMs);
    outgoing.once("close", () => clearTimeout(late));
    if (incoming.complete) end();
    else incoming.once("end", end).once("close", end).resume();
  }

  /** Refuses on a socket that has no response object. */
  #end(socket: Duplex, refusal: FrontRefusal): void {
    this.#count(refusal.reason);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const { status, headers, body } = whole(refusal.response);
    const fields = { ...headers, connection: "close", "content-length": body.length };
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
      ...Object.entries(fields).map(([name, value]) => `${name}: ${String(value)}`),
    ];
    socket.on("error", () => undefined);
    socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
    if ("destroySoon" in socket) (socket as Socket).destroySoon();
    else socket.end();
  }
}

/** Refusals are problem documents, never streams. */
function whole(response: FrontResponse): FrontResponse & { readonly body: Uint8Array } {
  return { ...response, body: response.body as Uint8Array };
}

function headersOf(incoming: IncomingMessage): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = Object.create(null);
  const { rawHeaders } = incoming;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const values = headers[name] ?? [];
    values.push(rawHeaders[i + 1] ?? "");
    headers[name] = values;
  }
  return headers;
}
