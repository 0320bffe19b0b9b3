/** `tcp`: somebody accepts connections there. */
import { connect } from "node:net";
import type { TcpVerification } from "../../failover/index.ts";
import { addressIn } from "./addresses.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

export function tcp({
  verification: { address },
  question,
  signal,
  isTimeUp,
}: Asking<TcpVerification>): Promise<Found> {
  const { host, port } = addressIn(address);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (found: Found): void => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(found);
    };
    const stop = (): void =>
      settle(
        inconclusive(
          isTimeUp()
            ? `${address} did not answer within ${question.timeoutMs} ms`
            : "it was told to stop",
        ),
      );
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => settle(pass(`${address} accepts connections`)));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      // Refused: the host is there and says that nobody listens.
      settle(
        error.code === "ECONNREFUSED"
          ? fail(`nobody listens at ${address}`)
          : inconclusive(`${address}: ${error.message}`),
      ),
    );
  });
}
