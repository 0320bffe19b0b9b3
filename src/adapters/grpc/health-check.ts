/**
 * Asks a gRPC server whether a service of it is there (gRPC Health Checking Protocol), over HTTP/2 itself: one call of one method
 * needs little of gRPC, and a client of `@grpc/grpc-js` that is closed while it connects keeps its socket for 20 seconds and more.
 */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  checkPath,
  decodeResponse,
  encodeRequest,
  framed,
  messageIn,
  type ServingStatus,
} from "./health-messages.ts";

export interface HealthQuestion {
  /** `host:port` */
  readonly address: string;
  /** Empty: the server as a whole. */
  readonly service: string;
  /** Without, in plain text. */
  readonly tls?: { readonly ca?: Buffer; readonly serverName?: string };
  /** Sent along, and looked for among what comes back. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HealthAnswer {
  readonly status: ServingStatus;
  /** Metadata of the answer, at its head or its end. */
  metadata(name: string): string | undefined;
}

/** `isUnknown`: the server is there, and knows no such service. */
export interface HealthRefusal {
  readonly why: string;
  readonly isUnknown: boolean;
}

type Health = Result<HealthAnswer, HealthRefusal>;

const answerBytesMax = 64 * 1024;
/** Status codes of gRPC. */
const [okCode, notFound] = ["0", "5"];

const refused = (why: string): Health => err({ why, isUnknown: false });

/** Nothing stays open when it resolves. Never rejects. */
export async function checkHealth(question: HealthQuestion): Promise<Health> {
  const { address, tls, signal } = question;
  const { ca, serverName } = tls ?? {};
  if (signal.aborted) return refused("it was told to stop");
  const session = connect(`${tls === undefined ? "http" : "https"}://${address}`, {
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  const cut = (): void => session.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    return await new Promise<Health>((settle) => {
      session.once("error", (error) => settle(refused(`${address}: ${error.message}`)));
      session.once("close", () => settle(refused(`${address} closed the connection`)));
      call(session, question, settle);
    });
  } finally {
    signal.removeEventListener("abort", cut);
    session.destroy();
  }
}

function call(
  session: ClientHttp2Session,
  { service, metadata, timeoutMs }: HealthQuestion,
  settle: (health: Health) => void,
): void {
  const stream = session.request({
    ...{ ":method": "POST", ":path": checkPath, "content-type": "application/grpc" },
    ...{ te: "trailers", "grpc-timeout": `${Math.ceil(timeoutMs)}m`, ...metadata },
  });
  const told: IncomingHttpHeaders[] = [];
  let body: Buffer = Buffer.alloc(0);
  stream.on("response", (headers) => told.push(headers));
  stream.on("trailers", (headers) => told.push(headers));
  stream.on("data", (piece: Buffer) => {
    body = Buffer.concat([body, piece]);
    if (body.length > answerBytesMax) stream.destroy(new Error("the answer is too large"));
  });
  stream.once("error", (error) => settle(refused(error.message)));
  stream.once("close", () => settle(answerIn(told, body)));
  stream.end(framed(encodeRequest(service)));
}

function answerIn(told: readonly IncomingHttpHeaders[], body: Buffer): Health {
  const metadata = (name: string): string | undefined => {
    const value = told.findLast((headers) => headers[name] !== undefined)?.[name];
    return typeof value === "string" ? value : value?.[0];
  };
  const code = metadata("grpc-status");
  if (code === undefined) return refused("its answer is not one of gRPC");
  if (code !== okCode) {
    const why = `it refuses with gRPC status ${code} ${metadata("grpc-message") ?? ""}`.trim();
    return err({ why, isUnknown: code === notFound });
  }
  const message = messageIn(body);
  const status = message === undefined ? undefined : decodeResponse(message);
  return status === undefined
    ? refused("the answer is no HealthCheckResponse")
    : ok({ status, metadata });
}
