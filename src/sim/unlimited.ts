/** Parts of a spine in a world where nobody stops and nobody counts. */
import { nothingReserved, type SpineParts } from "../gateway/index.ts";

export const unlimited: Pick<SpineParts, "kill" | "reservations"> = {
  kill: { hold: () => undefined },
  reservations: { reserve: async () => nothingReserved, settle: async () => undefined },
};
