/** Whose turn it is: people who take turns, and who stands in for whom. */

export interface Rotation {
  /** In this order, again and again. */
  readonly approvers: readonly string[];
  /** When the first of them began. */
  readonly startMs: number;
  readonly shiftMs: number;
  /** The first one whose time it is wins over the turns. */
  readonly overrides: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly approver: string;
  }[];
}

/** Undefined before the rotation begins. */
export function onCallAt(rotation: Rotation, nowMs: number): string | undefined {
  const { approvers, startMs, shiftMs, overrides } = rotation;
  const stand = overrides.find(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs);
  if (stand !== undefined) return stand.approver;
  if (nowMs < startMs) return undefined;
  return approvers[Math.floor((nowMs - startMs) / shiftMs) % approvers.length];
}
