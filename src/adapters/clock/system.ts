/** The clock and the entropy of the machine. */
import { randomFillSync } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Clock, Entropy } from "../../ports.ts";

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done);
    }),
};

const poolBytes = 4_096;

/** Asking the system costs the same for ten bytes as for thousands, so they are taken in advance. */
function pooledEntropy(): Entropy {
  const pool = Buffer.alloc(poolBytes);
  let at = poolBytes;
  return {
    bytes(count) {
      if (count > poolBytes) return randomFillSync(new Uint8Array(count));
      if (at + count > poolBytes) {
        randomFillSync(pool);
        at = 0;
      }
      const taken = Uint8Array.from(pool.subarray(at, at + count));
      // What was given out may become a secret of its receiver; it stays with nobody else.
      pool.fill(0, at, at + count);
      at += count;
      return taken;
    },
  };
}

export const systemEntropy: Entropy = pooledEntropy();
