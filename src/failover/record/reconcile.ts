/** Whether everything that was recorded has arrived where it is kept: event by event, whatever the order (AG-403 4.4). */

export interface AuditEventRef {
  /** Names the event for good; the same event delivered twice has the same. */
  readonly id: string;
  /** Of its content, where both sides have one. */
  readonly digest?: string;
}

export interface AuditGap {
  /** Different events on each side. */
  readonly source_events: number;
  readonly warehouse_events: number;
  /** In the source and not in the warehouse. */
  readonly missing: number;
  /** In the warehouse and not in the source. */
  readonly unexpected: number;
  /** On both sides, with another content. */
  readonly differing: number;
  /** Times that the warehouse holds an event once more. */
  readonly duplicates: number;
  /** The first of each, in the order of the side they are from. */
  readonly missing_ids: readonly string[];
  readonly unexpected_ids: readonly string[];
  readonly differing_ids: readonly string[];
}

const namedMax = 100;

/** Duplicates are no gap: delivery happens at least once, and whoever reads counts each event once. */
export const hasGap = ({ missing, unexpected, differing }: AuditGap): boolean =>
  missing + unexpected + differing > 0;

export function reconcile(
  source: readonly AuditEventRef[],
  warehouse: readonly AuditEventRef[],
): AuditGap {
  const recorded = new Map(source.map(({ id, digest }) => [id, digest]));
  const kept = new Set<string>();
  const [unexpected, differing] = [new Set<string>(), new Set<string>()];
  for (const { id, digest } of warehouse) {
    kept.add(id);
    const expected = recorded.get(id);
    if (!recorded.has(id)) unexpected.add(id);
    else if (expected !== undefined && digest !== undefined && digest !== expected)
      differing.add(id);
  }
  const missing = [...recorded.keys()].filter((id) => !kept.has(id));
  const first = (ids: Iterable<string>): string[] => [...ids].slice(0, namedMax);
  return {
    ...{ source_events: recorded.size, warehouse_events: kept.size },
    ...{ missing: missing.length, unexpected: unexpected.size, differing: differing.size },
    duplicates: warehouse.length - kept.size,
    ...{ missing_ids: first(missing), unexpected_ids: first(unexpected) },
    differing_ids: first(differing),
  };
}
