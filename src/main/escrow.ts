/** Who carries out held writes, from the configuration. */
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { Config } from "../cli/index.ts";
import { EscrowExecutor, type Sender } from "../gateway/index.ts";
import type { DataPlane } from "./gateway-process.ts";

export function escrowExecutor(
  { upstreams }: Config,
  plane: DataPlane,
  senders: ReadonlyMap<string, Sender>,
): EscrowExecutor {
  const honouring = Object.keys(upstreams).filter(
    (name) => upstreams[name]?.idempotency === "honoured",
  );
  const world = { clock: systemClock, entropy: systemEntropy };
  return new EscrowExecutor({
    ...{ ...plane, ...plane.life, ...world, senders },
    honouring: new Set(honouring),
  });
}
