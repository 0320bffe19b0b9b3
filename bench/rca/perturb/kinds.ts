/** What production does to telemetry that no rule was tuned on, by chance from a seed. */
import type { LogLine, Series, Span } from "../../../src/model/index.ts";
import type { Random } from "../../../src/sim/index.ts";
import type { Incident } from "../reader.ts";
import { heavyTailed } from "./chance.ts";
import { recounted } from "./recount.ts";

/** Each draws from its own chance; what is absent stays as it is. */
export interface Perturbation {
  readonly says: string;
  readonly spans?: (spans: readonly Span[], random: Random) => readonly Span[];
  readonly lines?: (lines: readonly LogLine[], random: Random) => readonly LogLine[];
  readonly incident?: (incident: Incident, random: Random) => Incident;
  /** Nodes get other names, which the answer is given back from. */
  readonly isRenaming?: true;
}

const clockMs = 20;
const noiseShare = 0.1;
const shiftMs = 45_000;
const forgottenShare = 0.25;

export const perturbations: Readonly<Record<string, Perturbation>> = {
  "traces-50": { says: "half of the traces", spans: keptTraces(0.5) },
  "traces-70": { says: "70 % of the traces", spans: keptTraces(0.7) },
  "spans-90": {
    says: "90 % of the spans, so that callers are unknown",
    spans: (spans, random) => spans.filter(() => random.chance(0.9)),
  },
  "logs-50": {
    says: "half of the lines of logs",
    lines: (lines, random) => lines.filter(() => random.chance(0.5)),
  },
  clocks: { says: "clocks of services off by 20 ms, some by far more", spans: skewed },
  column: { says: "one signal not measured, of those not asked about", incident: withoutSignal },
  noise: {
    says: "each measurement off by a tenth, some by far more",
    incident: eachSeries(noisy),
  },
  counts: { says: "shares and means of half of the requests", incident: recounted },
  shift: { says: "asked up to 45 s earlier or later", incident: shifted },
  past: {
    says: "a window, or a quarter of what was measured before, forgotten",
    incident: withoutSomePast,
  },
  names: { says: "nodes have other names", isRenaming: true },
};

function keptTraces(share: number): NonNullable<Perturbation["spans"]> {
  return (spans, random) => {
    const traces = [...new Set(spans.map(({ trace }) => trace))].sort();
    const kept = new Set(traces.filter(() => random.chance(share)));
    return spans.filter(({ trace }) => kept.has(trace));
  };
}

function skewed(spans: readonly Span[], random: Random): readonly Span[] {
  const services = [...new Set(spans.map(({ service }) => service))].sort();
  const offUs = new Map(
    services.map((service) => [service, Math.round(clockMs * 1_000 * heavyTailed(random))]),
  );
  return spans.map((span) => ({
    ...span,
    startUs: span.startUs + (offUs.get(span.service) ?? 0),
  }));
}

function withoutSignal(incident: Incident, random: Random): Incident {
  const measured = incident.events.flatMap((each) => (each.type === "series" ? each.signal : []));
  const names = [...new Set(measured)].filter((each) => each !== incident.symptom.signal).sort();
  const gone = names[random.below(names.length)];
  const events = incident.events.filter((each) => each.type !== "series" || each.signal !== gone);
  return { ...incident, events };
}

function eachSeries(
  change: (series: Series, random: Random) => Series,
): NonNullable<Perturbation["incident"]> {
  return (incident, random) => ({
    ...incident,
    events: incident.events.map((each) => (each.type === "series" ? change(each, random) : each)),
  });
}

/** Of what is good when it is near one, what is missing to it. */
function noisy(series: Series, random: Random): Series {
  const factor = () => Math.exp(noiseShare * heavyTailed(random));
  const isShare = series.signal === "availability";
  const points = series.points.map(
    ([at, value]) => [at, isShare ? 1 - (1 - value) * factor() : value * factor()] as const,
  );
  return { ...series, points };
}

function shifted(incident: Incident, random: Random): Incident {
  const at = incident.symptom.at + random.below(2 * shiftMs) - shiftMs;
  return { ...incident, symptom: { ...incident.symptom, at } };
}

/** The only window of the past stays: without any there is no question. */
function withoutSomePast(incident: Incident, random: Random): Incident {
  const cutAt = incident.symptom.at - (incident.settings?.lookbackMs ?? 0);
  const isWindowed = (type: string) => type === "traffic" || type === "log";
  const times = incident.events.flatMap(({ type, at }) => (isWindowed(type) ? at : []));
  const windows = [...new Set(times)].filter((at) => at < cutAt).sort((a, b) => a - b);
  const gone = windows.length < 2 ? undefined : windows[random.below(windows.length)];
  const { events } = eachSeries((series) => withoutAQuarter(series, cutAt, random))(
    incident,
    random,
  );
  return { ...incident, events: events.filter(({ type, at }) => !isWindowed(type) || at !== gone) };
}

function withoutAQuarter(series: Series, cutAt: number, random: Random): Series {
  const past = series.points.filter(([at]) => at < cutAt).length;
  const length = Math.floor(past * forgottenShare);
  const from = random.below(past - length + 1);
  return { ...series, points: series.points.filter((_, at) => at < from || at >= from + length) };
}
