/**
 * Calls and failures of the newest `windowMs`, counted in ten slots. A slot is forgotten whole, so what is counted is of
 * the last nine tenths of the window at least, and of the whole window at most.
 */
export interface FailureWindow {
  /** Number of the newest slot since time began. */
  readonly newest: number;
  /** By slot, the newest first. */
  readonly slots: readonly Slot[];
}

interface Slot {
  readonly calls: number;
  readonly failures: number;
}

const slotsMax = 10;
const emptySlot: Slot = { calls: 0, failures: 0 };

export const emptyFailureWindow: FailureWindow = { newest: 0, slots: [] };

/** One call more. `nowMs` never decreases. */
export function withOutcome(
  window: FailureWindow,
  failed: boolean,
  nowMs: number,
  windowMs: number,
): FailureWindow {
  const { newest, slots } = failureWindowAt(window, nowMs, windowMs);
  const [first = emptySlot, ...rest] = slots;
  const counted = { calls: first.calls + 1, failures: first.failures + (failed ? 1 : 0) };
  return { newest, slots: [counted, ...rest] };
}

export function failureWindowAt(
  { newest, slots }: FailureWindow,
  nowMs: number,
  windowMs: number,
): FailureWindow {
  const now = Math.floor((nowMs * slotsMax) / windowMs);
  const passed = Math.min(Math.max(0, now - newest), slotsMax);
  if (passed === 0) return { newest, slots };
  const moved = [...new Array<Slot>(passed).fill(emptySlot), ...slots].slice(0, slotsMax);
  return { newest: now, slots: moved };
}

export function countedOutcomes({ slots }: FailureWindow): Slot {
  return slots.reduce(
    (sum, { calls, failures }) => ({
      calls: sum.calls + calls,
      failures: sum.failures + failures,
    }),
    emptySlot,
  );
}
