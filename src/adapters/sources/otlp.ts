/** OTLP: traces become traffic, metrics series, and log records templates; what they say of their sender becomes edges. */
import { err, type JsonObject, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import {
  foldLogs,
  foldSpans,
  type LogFolding,
  type LogLine,
  nodeId,
  type Span,
  type SpanFaults,
  type SpanFolding,
} from "../../model/index.ts";
import { at, textAt } from "./members.ts";
import { type LastSamples, type MetricSeries, seriesIn } from "./otlp-metrics.ts";
import { microsecondsAt, resourcesOf, serviceOf } from "./otlp-resource.ts";
import { tellSenders } from "./otlp-senders.ts";
import { spansIn } from "./otlp-spans.ts";
import {
  type Source,
  type SourceDocument,
  type SourceFault,
  Teller,
  type Told,
  textOf,
} from "./source.ts";

/** Of one batch; a trace may have a million spans. */
const spansMax = 2_000_000;
/** Of one event. */
const pointsMax = 5_000;
const partMs = 10 * 60_000;
const members = ["resourceSpans", "resourceMetrics", "resourceLogs"] as const;

export const otlp: Source = {
  name: "otlp",
  version: 2,
  // Each service tells its own spans of a trace.
  gathers: true,
  reads: ({ value }) => members.some((member) => at(value, member) !== undefined),
  tell: (all, { windowMs, lastSamples, lastSenders, isCounted }): Result<Told, SourceFault> => {
    const folding = { source: "otlp", window: { ms: windowMs } } as const;
    const teller = new Teller("otlp");
    const documents = all.filter(({ isContext }) => isContext !== true);
    const read = readSpans(teller, all, isCounted);
    if (!read.ok) return read;
    const [first] = documents;
    if (first === undefined) return ok(teller.told);
    const { spans, counted } = read.value;
    // What was counted over many documents is looked up from the first of its kind.
    const firstOf = (member: (typeof members)[number]): SourceDocument =>
      documents.find(({ value }) => at(value, member) !== undefined) ?? first;
    const entries = tellTraffic(teller, firstOf("resourceSpans"), spans, folding);
    tellLogs(teller, firstOf("resourceLogs"), documents, { ...folding, entries });
    tellMetrics(teller, firstOf("resourceMetrics"), documents, lastSamples ?? new Map());
    tellSenders(teller, documents, lastSenders ?? new Map());
    const keys = counted.map(spanKey);
    return ok({ ...teller.told, ...(keys.length > 0 && { spans: { keys, ...timeOf(counted) } }) });
  },
};

interface OwnSpans {
  readonly spans: readonly Span[];
  /** Of these, those that were not counted before. */
  readonly counted: readonly Span[];
}

function readSpans(
  teller: Teller,
  all: readonly SourceDocument[],
  isCounted: (key: string) => boolean = () => false,
): Result<OwnSpans, SourceFault> {
  const [spans, counted]: [Span[], Span[]] = [[], []];
  // Of a span that is told twice the one that counts comes first.
  const inOrder = all.toSorted(
    (a, b) => Number(a.isContext ?? false) - Number(b.isContext ?? false),
  );
  for (const { value, reference, isContext } of inOrder) {
    const read = spansIn(value);
    if ("path" in read) return err({ reference, ...read });
    const message = `more than ${spansMax} spans at once; send them in parts`;
    if (spans.length + read.spans.length > spansMax)
      return err({ reference, path: "resourceSpans", message });
    const told = read.spans.map((span) =>
      isContext === true || isCounted(spanKey(span)) ? { ...span, isTold: true } : span,
    );
    for (const span of told) spans.push(span);
    for (const span of told) if (span.isTold !== true) counted.push(span);
    if (read.backwards > 0 && isContext !== true)
      teller.note(reference, `${read.backwards} spans ended before they began`);
  }
  return ok({ spans, counted });
}

/** 64 bits of a digest tell spans of one time apart. */
function spanKey({ trace, id }: Span): string {
  return Buffer.from(sha256Hex(trace + id).slice(0, 16), "hex").toString("base64url");
}

function timeOf(spans: readonly Span[]): { fromAt: number; toAt: number } {
  let [fromAt, toAt] = [Number.POSITIVE_INFINITY, 0];
  for (const { startUs } of spans) {
    const at = Math.floor(startUs / 1_000);
    fromAt = Math.min(fromAt, at);
    toAt = Math.max(toAt, at);
  }
  return { fromAt, toAt };
}

/**
 * What a window came to is an event by what it says and of which spans: told again with others of its kind, it is still the
 * same. Spans that come later are another event beside it.
 */
function tellTraffic(
  teller: Teller,
  { reference }: SourceDocument,
  spans: readonly Span[],
  folding: Pick<SpanFolding, "source" | "window">,
): ReadonlyMap<string, string> {
  const { traffic, countedIn, entries, faults } = foldSpans(spans, { ...folding, id: reference });
  for (const { id, knownAt, origin, ...says } of traffic)
    teller.tell(reference, knownAt, says, countedIn.get(id));
  for (const [what, says] of Object.entries(faultWords) as [keyof SpanFaults, string][])
    if (faults[what] > 0) teller.note(reference, `${faults[what]} spans ${says}`);
  return entries;
}

const faultWords: Readonly<Record<keyof SpanFaults, string>> = {
  repeated: "were told twice; counted once",
  orphaned: "have a parent that was not told; who called is unknown",
  cyclic: "are their own ancestors; the cycle was cut",
  skewed: "lie outside of their parents' time; their clocks differ",
  lumped: "are of operations beyond what is told apart; counted together",
};

function tellLogs(
  teller: Teller,
  { reference }: SourceDocument,
  documents: readonly SourceDocument[],
  folding: Pick<LogFolding, "source" | "window" | "entries">,
): void {
  const lines = documents.flatMap(({ value, receivedAt }) => logLines(value, receivedAt));
  const { logs, lumped } = foldLogs(lines, { ...folding, id: reference });
  for (const { id, knownAt, origin, template, example, ...says } of logs)
    teller.tell(reference, knownAt, {
      ...says,
      ...{ template: textOf(template), example: textOf(example) },
    });
  if (lumped > 0)
    teller.note(reference, `${lumped} log lines beyond what is told apart; counted together`);
}

function logLines(value: JsonObject, receivedAt: number): readonly LogLine[] {
  return [...resourcesOf(value, ["resourceLogs", "scopeLogs", "logRecords"])].map(
    ([resource, record]) => {
      const us =
        microsecondsAt(record, "timeUnixNano") || microsecondsAt(record, "observedTimeUnixNano");
      const severity = severityOf(Number(at(record, "severityNumber") ?? 0));
      const trace = textAt(record, "traceId")?.toLowerCase();
      return {
        at: us === undefined ? receivedAt : Math.floor(us / 1_000),
        service: serviceOf(resource),
        text: textAt(record, "body", "stringValue") ?? JSON.stringify(at(record, "body") ?? ""),
        ...(severity !== undefined && { severity }),
        ...(trace !== undefined && { trace }),
      };
    },
  );
}

/** Ranges of the log data model: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal. */
function severityOf(number: number): LogLine["severity"] {
  if (!(number >= 1)) return undefined;
  if (number < 9) return "debug";
  return number < 13 ? "info" : number < 17 ? "warn" : "error";
}

function tellMetrics(
  teller: Teller,
  { reference }: SourceDocument,
  documents: readonly SourceDocument[],
  lastSamples: LastSamples,
): void {
  const { series, leftOut } = seriesIn(
    documents.map(({ value }) => value),
    lastSamples,
  );
  for (const { service, points, ...rest } of series)
    for (const part of partsOf(points)) {
      teller.tell(reference, part.at(-1)?.[0] ?? 0, {
        ...{
          type: "series",
          at: part[0]?.[0] ?? 0,
          node: nodeId("service", service),
          points: part,
        },
        ...rest,
      });
    }
  if (leftOut > 0)
    teller.note(reference, `${leftOut} points of streams beyond what is told apart; left out`);
}

/** A part is known when it ends: a long one would hide its beginning from whoever asks about its middle. */
function partsOf(points: MetricSeries["points"]): readonly MetricSeries["points"][] {
  const parts = new Map<string, (readonly [number, number])[]>();
  for (const [index, point] of points.entries()) {
    const key = `${Math.floor(point[0] / partMs)} ${Math.floor(index / pointsMax)}`;
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [point]);
    else part.push(point);
  }
  return [...parts.values()];
}
