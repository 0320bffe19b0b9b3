/** An upstream that takes bytes apart by itself, strictly, so that it sees what the gateway really sent. */
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

export interface RawUpstream {
  readonly url: string;
  readonly seen: readonly SentRequest[];
  /** Bytes that are no request in the plainest form. */
  readonly problems: readonly string[];
  close(): void;
}

const requestLine = /^([A-Z]+) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const headerLine = /^([\w!#$%&'*+.^`|~-]+): ?([^\r\n\0]*)$/;

export async function rawUpstream(): Promise<RawUpstream> {
  const seen: SentRequest[] = [];
  const problems: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (piece) => {
      held = Buffer.concat([held, piece]);
      for (let next = take(held); next !== undefined; next = take(held)) {
        if (typeof next === "string") {
          problems.push(next);
          socket.destroy();
          return;
        }
        held = held.subarray(next.bytes);
        seen.push(next.request);
        const body = next.request.method === "HEAD" ? "" : "ok";
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n${body}`,
        );
      }
    });
    socket.on("close", () => {
      if (held.length > 0) problems.push(`left over: ${JSON.stringify(held.toString("latin1"))}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, seen, problems, close };
}

/** The first request of `held` and its length; nothing while it is not whole; a text when it is not plain. */
function take(
  held: Buffer,
): { readonly request: SentRequest; readonly bytes: number } | string | undefined {
  const end = held.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = held.subarray(0, end).toString("latin1").split("\r\n");
  const [, method = "", path = ""] = requestLine.exec(first) ?? [];
  if (method === "") return `no request line: ${JSON.stringify(first)}`;
  const lengths: number[] = [];
  for (const line of lines) {
    const [, name = "", value = ""] = headerLine.exec(line) ?? [];
    if (name === "") return `no header: ${JSON.stringify(line)}`;
    if (name.toLowerCase() === "transfer-encoding") return "a body of unknown length";
    if (name.toLowerCase() === "content-length") lengths.push(Number(value));
  }
  if (lengths.length > 1) return "two lengths";
  const bytes = end + 4 + (lengths[0] ?? 0);
  if (held.length < bytes) return undefined;
  return { request: { method, path, body: held.subarray(end + 4, bytes) }, bytes };
}
