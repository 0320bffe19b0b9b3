/** Figures of requests as they would be of fewer of them. */
import type { Series } from "../../../src/model/index.ts";
import type { Random } from "../../../src/sim/index.ts";
import type { Incident } from "../reader.ts";
import { normal, poisson } from "./chance.ts";

const keptShare = 0.5;

/** Where requests are counted, a draw of half of them, and what shares and means of those would be. */
export function recounted(incident: Incident, random: Random): Incident {
  const counted = new Map<string, { stepS: number; counts: Map<number, Recount> }>();
  for (const each of incident.events)
    if (each.type === "series" && each.signal === "requests")
      counted.set(each.node, recountOf(each, random));
  const events = incident.events.map((each) => {
    const of = each.type === "series" ? counted.get(each.node) : undefined;
    if (each.type !== "series" || of === undefined) return each;
    const points = each.points.flatMap(([at, value]): [number, number][] => {
      const count = of.counts.get(at);
      if (count === undefined) return [[at, value]];
      if (each.signal === "requests") return [[at, count.now / keptShare / of.stepS]];
      if (count.now === 0) return [];
      return [[at, drawn(each, value, count, random)]];
    });
    return { ...each, points };
  });
  return { ...incident, events };
}

interface Recount {
  readonly before: number;
  readonly now: number;
}

function recountOf({ points }: Series, random: Random) {
  const stepS = ((points[1]?.[0] ?? 0) - (points[0]?.[0] ?? 0)) / 1_000;
  const counts = points.map(([at, value]): [number, Recount] => {
    const before = value * stepS;
    return [at, { before, now: poisson(before * keptShare, random) }];
  });
  return { stepS, counts: new Map(counts) };
}

/** Durations of calls are about as spread as they are long. */
function drawn({ signal }: Series, value: number, { before, now }: Recount, random: Random) {
  if (signal === "availability")
    return 1 - Math.min(1, poisson(before * (1 - value) * keptShare, random) / now);
  const spread = Math.sqrt(Math.max(0, 1 / now - 1 / Math.max(1, before)));
  return value * Math.max(0.1, 1 + spread * normal(random));
}
