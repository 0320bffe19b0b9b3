/** Parts of a spine in a world where nobody stops, nobody counts and nobody answers. */
import type { SpineParts } from "../gateway/index.ts";

export const unlimited: Pick<SpineParts, "kill" | "gates" | "approvals" | "upstreams"> = {
  kill: { hold: () => undefined, looked: () => undefined },
  gates: [],
  approvals: { answered: async () => false },
  upstreams: {
    breakers: { report: () => undefined, mayRepeat: () => true },
    rules: new Map(),
  },
};
