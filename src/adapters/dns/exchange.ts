/** One message to a name server and its answer, over TCP: what was sent and not answered is `unknown`, never repeated. */
import { connect } from "node:net";
import { err, ok, type Result } from "../../kernel/index.ts";
import { uint16 } from "./message.ts";

/**
 * `unreachable`: it was not sent. `unknown`: it may have been carried out. `conflict`: what stands at the name is not what was
 * read; nothing changed. `refused`: the server will not, or we will not; nothing changed.
 */
export interface DnsError {
  readonly kind: "unreachable" | "unknown" | "conflict" | "refused";
  readonly detail: string;
}

export interface NameServer {
  readonly host: string;
  readonly port: number;
}

export function exchange(
  server: NameServer,
  bytes: Uint8Array,
  timeoutMs: number,
): Promise<Result<Uint8Array, DnsError>> {
  return new Promise((resolve) => {
    let connected = false;
    let received = Buffer.alloc(0);
    const socket = connect({ host: server.host, port: server.port });
    const settle = (answer: Result<Uint8Array, DnsError>): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(answer);
    };
    const fail = (detail: string): void =>
      settle(err({ kind: connected ? "unknown" : "unreachable", detail }));
    const late = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.on("error", ({ message }) => fail(message));
    socket.on("close", () => fail("the server closed the connection without an answer"));
    socket.on("connect", () => {
      connected = true;
      socket.write(Buffer.concat([uint16(bytes.length), bytes]));
    });
    socket.on("data", (piece: Buffer) => {
      received = Buffer.concat([received, piece]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      settle(ok(received.subarray(2, 2 + received.readUInt16BE(0))));
    });
  });
}
