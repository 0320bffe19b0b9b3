/** The front server on `node:http`: sockets in, `FrontRequest` values out, limits enforced on the way. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  problemResponse,
} from "../../gateway/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Log } from "../../ports.ts";
import { type FrontLimits, frontLimitsDefault } from "./limits.ts";

export interface FrontServer {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no more connections, lets open answers end for `graceMs`, then cuts them. Streams never end by themselves:
   * once `settled` resolves, what is still open is cut after a moment.
   */
  close(graceMs?: number, settled?: Promise<void>): Promise<void>;
}

/** Listens. Port 0 takes any free one. Rejects when the address is taken or not ours. */
export async function serveFront(
  face: FrontFace,
  options: {
    readonly host: string;
    readonly port: number;
    readonly log: Log;
    readonly limits?: Partial<FrontLimits>;
  },
): Promise<FrontServer> {
  const limits = { ...frontLimitsDefault, ...options.limits };
  const gate = new Gate(face, limits, options.log);
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
    },
    (incoming, outgoing) => gate.take(incoming, outgoing),
  );
  server.on("clientError", (error, socket) => refuseUnreadable(error, socket, limits));
  // Every header reaches `refusal`, which counts them; node would drop those over its own limit in silence.
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

/** For the last bytes of answers to leave. */
const lingerMs = 250;

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

/** What node refuses before a request exists, as problem details. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, limits: FrontLimits): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { status, headers, body } = unreadable(error.code, limits);
  const lines = Object.entries({ ...headers, connection: "close", "content-length": body.length });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...lines.map(([name, value]) => `${name}: ${String(value)}`),
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
}

function unreadable(
  code: string | undefined,
  limits: FrontLimits,
): FrontResponse & { readonly body: Uint8Array } {
  const { headerBytesMax, requestTimeoutMs } = limits;
  const [status, title, detail] =
    code === "HPE_HEADER_OVERFLOW"
      ? ([
          431,
          "Headers too large",
          `At most ${headerBytesMax} bytes (limits.header_bytes_max).`,
        ] as const)
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([
            408,
            "Too slow",
            `A request has ${requestTimeoutMs} ms (limits.request_timeout_ms).`,
          ] as const)
        : ([400, "Bad request", "Not readable as HTTP/1.1."] as const);
  const response = problemResponse(status, title, detail);
  return { ...response, body: response.body as Uint8Array };
}

class Gate {
  readonly #face: FrontFace;
  readonly #limits: FrontLimits;
  readonly #log: Log;
  #open = 0;
  /** Of bodies held. */
  #bytes = 0;

  constructor(face: FrontFace, limits: FrontLimits, log: Log) {
    this.#face = face;
    this.#limits = limits;
    this.#log = log;
  }

  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#open += 1;
    const visit = new Visit();
    outgoing.once("close", () => {
      this.#open -= 1;
      this.#bytes -= visit.bytes;
      visit.end();
    });
    this.#serve(incoming, outgoing, visit).catch((thrown: unknown) => {
      this.#log.write("error", "http.request_failed", { detail: String(thrown) });
      outgoing.destroy();
    });
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse, visit: Visit): Promise<void> {
    const headers = headersOf(incoming);
    const refused =
      this.#open > this.#limits.concurrentRequestsMax
        ? tooManyRequests(this.#limits.concurrentRequestsMax)
        : refusal(incoming, headers, this.#limits);
    if (refused !== undefined) return await refuse(outgoing, refused);
    const body = await this.#bodyOf(incoming, visit);
    if (!body.ok) return await refuse(outgoing, body.error);
    const url = incoming.url ?? "/";
    const mark = url.indexOf("?");
    const request: FrontRequest = {
      method: incoming.method ?? "GET",
      path: mark < 0 ? url : url.slice(0, mark),
      query: mark < 0 ? "" : url.slice(mark + 1),
      headers,
      body: body.value,
      get signal() {
        return visit.signal;
      },
    };
    await send(outgoing, await this.#answer(request), this.#limits.stalledTimeoutMs);
  }

  /** Rejects when the client breaks off. Events, because an async iterator costs more than the rest of a small request. */
  #bodyOf(incoming: IncomingMessage, visit: Visit): Promise<Result<Uint8Array, FrontResponse>> {
    const { bodyBytesMax, bodiesBytesMax } = this.#limits;
    const pieces: Buffer[] = [];
    return new Promise((resolve, reject) => {
      const take = (piece: Buffer): void => {
        if (!visit.over) {
          visit.bytes += piece.length;
          this.#bytes += piece.length;
        }
        const refused =
          visit.bytes > bodyBytesMax
            ? tooLarge(bodyBytesMax)
            : visit.over || this.#bytes > bodiesBytesMax
              ? tooManyBytes
              : undefined;
        if (refused === undefined) pieces.push(piece);
        else {
          incoming.off("data", take).pause();
          resolve(err(refused));
        }
      };
      const whole = (): void =>
        resolve(
          ok(pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)),
        );
      incoming.on("data", take).once("end", whole).once("error", reject);
      incoming.once("close", () => reject(new Error("the client broke off its request")));
    });
  }

  async #answer(request: FrontRequest): Promise<FrontResponse> {
    try {
      return await this.#face(request);
    } catch (thrown) {
      this.#log.write("error", "http.face_failed", { path: request.path, detail: String(thrown) });
      return problemResponse(
        500,
        "Internal error",
        "Nothing is known of what happened. See the log.",
      );
    }
  }
}

const clientGone = new DOMException("the client is gone", "AbortError");

/** One request, from its head until its answer is out or its client gone. */
class Visit {
  /** Of its body, held. */
  bytes = 0;
  over = false;
  #abort: AbortController | undefined;

  /** Made when somebody asks: most answers are whole before anybody needs to know that the client left. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.over) this.#abort.abort(clientGone);
    return this.#abort.signal;
  }

  end(): void {
    this.over = true;
    this.#abort?.abort(clientGone);
  }
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

/** Headers that decide who asks, of whom, and where the body ends: two values have no one meaning. */
const singleHeaders = [
  "host",
  "authorization",
  "content-length",
  "content-type",
  "origin",
] as const;

function refusal(
  incoming: IncomingMessage,
  headers: FrontRequest["headers"],
  limits: FrontLimits,
): FrontResponse | undefined {
  if (incoming.rawHeaders.length / 2 > limits.headersMax)
    return problemResponse(
      431,
      "Too many headers",
      `At most ${limits.headersMax} header lines are accepted (limits.headers_max).`,
    );
  const repeated = singleHeaders.find((name) => (headers[name]?.length ?? 0) > 1);
  if (repeated !== undefined)
    return problemResponse(400, "Repeated header", `Send ${repeated} once.`);
  const target = incoming.url ?? "";
  if (!target.startsWith("/") || /[\0-\x20\x7f#]/.test(target))
    return problemResponse(
      400,
      "Bad request target",
      "Send the path alone, beginning with a slash.",
    );
  return Number(headers["content-length"]?.[0] ?? 0) > limits.bodyBytesMax
    ? tooLarge(limits.bodyBytesMax)
    : undefined;
}

function tooManyRequests(max: number): FrontResponse {
  const detail = `${max} requests are being answered already (limits.requests_open_max). Try again shortly.`;
  return problemResponse(503, "Too many requests", detail, { "retry-after": "1" });
}

const tooManyBytes = problemResponse(
  503,
  "Too many requests",
  "The bodies of open requests have no more room. Try again shortly.",
  { "retry-after": "1" },
);

function tooLarge(bodyBytesMax: number): FrontResponse {
  return problemResponse(
    413,
    "Body too large",
    `At most ${bodyBytesMax} bytes are accepted (limits.body_bytes_max).`,
  );
}

/** The rest of the request is not read: the connection ends with the answer. */
async function refuse(outgoing: ServerResponse, response: FrontResponse): Promise<void> {
  const headers = { ...response.headers, connection: "close" };
  await send(outgoing, { ...response, headers }, 0);
}

async function send(
  outgoing: ServerResponse,
  response: FrontResponse,
  stalledTimeoutMs: number,
): Promise<void> {
  const { body } = response;
  const headers = response.headers as Record<string, string | string[]>;
  if (body instanceof Uint8Array) {
    const sized =
      response.status === 204 || response.status === 304 ? {} : { "content-length": body.length };
    outgoing.writeHead(response.status, { ...headers, ...sized });
    outgoing.end(body);
    return;
  }
  outgoing.writeHead(response.status, headers);
  outgoing.flushHeaders();
  for await (const piece of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(piece)) await drained(outgoing, stalledTimeoutMs);
  }
  outgoing.end();
}

/** Resolves when the client took what waits for it; one that takes nothing for too long is cut off. */
async function drained(outgoing: ServerResponse, stalledTimeoutMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const stalled = setTimeout(() => outgoing.destroy(), stalledTimeoutMs);
    const done = (): void => {
      clearTimeout(stalled);
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.on("drain", done);
    outgoing.on("close", done);
  });
}
