/**
 * How bad a world is. Each seed draws its own mixture, with some faults off altogether, so that rare combinations are
 * not drowned by frequent ones (swarm testing).
 */
import { type NetworkFaults, noNetworkFaults } from "./network.ts";
import type { Random } from "./random.ts";

export interface Temper {
  readonly agents: number;
  /** Calls of one agent at a time. */
  readonly lanes: number;
  readonly callsPerLane: number;
  /** Probability that the process dies before, and after, each operation on the world. */
  readonly crash: number;
  readonly syncFails: number;
  /** Any other operation of the disk. */
  readonly diskFails: number;
  readonly diskFills: boolean;
  readonly network: NetworkFaults;
  /** Between agents and gateway: requests and answers lost, requests doubled. */
  readonly client: { readonly lost: number; readonly doubled: number };
  readonly nemesisMsMax: number;
}

export function temperOf(random: Random): Temper {
  const some = (rate: number): number =>
    random.chance(0.3) ? 0 : rate * (0.2 + random.below(100) / 60);
  return {
    agents: 1 + random.below(4),
    lanes: 1 + random.below(4),
    callsPerLane: 4 + random.below(12),
    crash: some(0.004),
    syncFails: some(0.01),
    diskFails: some(0.003),
    diskFills: random.chance(0.4),
    network: {
      ...noNetworkFaults,
      refused: some(0.05),
      requestLost: some(0.05),
      answerLost: some(0.05),
      delivered2: some(0.05),
      bodyBroken: some(0.05),
      delayMsMax: random.below(30),
    },
    client: { lost: some(0.05), doubled: some(0.05) },
    nemesisMsMax: 20 + random.below(200),
  };
}
