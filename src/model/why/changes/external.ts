/** Causes that no change of ours explains: what the logs, the platform and the provider say of them. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Change, LogTemplate, Origin } from "../../event.ts";
import { nodeId, splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import type { View } from "../view.ts";
import { departureOf } from "./onset.ts";
import { type Trouble, toleranceMs } from "./trouble.ts";

interface Sign {
  readonly kind: CauseKind;
  readonly pattern: RegExp;
  /** One service may say so for reasons of its own; several have something in common outside of themselves. */
  readonly servicesMin: number;
  /** What one that says so is worth: a certificate that has run out is no matter of opinion. */
  readonly nats: number;
}

const signs: readonly Sign[] = [
  {
    kind: "external.dns",
    pattern:
      /no such host|enotfound|eai_again|servfail|name resolution|server misbehaving|lookup \S+ on \S+:53/i,
    servicesMin: 2,
    nats: 3.5,
  },
  {
    kind: "external.certificate",
    pattern:
      /x509|certificate (?:has )?(?:expired|is not yet valid|verify failed)|cert\w* expired|unknown authority|unable to get local issuer|not ?after/i,
    servicesMin: 1,
    nats: 5,
  },
  {
    kind: "external.region",
    pattern:
      /\b(?:availability zone|(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d[a-f]?)\b.*(?:unreachable|unavailable|outage|impair|degrad|timeout|lost|evacuat)|(?:unreachable|unavailable|outage|impair|degrad).*\b(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d[a-f]?\b/i,
    servicesMin: 2,
    nats: 4,
  },
  {
    kind: "host.saturated",
    pattern:
      /evict|node\S* .*(?:pressure|contended|not ?ready)|(?:cpu|memory) contended|noisy|steal time|throttling container/i,
    servicesMin: 2,
    nats: 3.5,
  },
];

/** Said by our own log, or by a feed of somebody else's state. */
export function externalCauses(
  question: Case,
  trouble: Trouble,
  changes: readonly Change[],
): readonly Finding[] {
  return [
    ...signs.flatMap((sign) => signed(question, trouble, changes, sign)),
    ...provider(question, trouble, changes),
    ...poison(trouble),
    ...traffic(question, trouble),
  ];
}

function found(
  trouble: Trouble,
  kind: CauseKind,
  weight: number,
  says: string,
  origin: Origin,
): Finding {
  const node = nodeId("external", kind.split(".")[1] ?? kind);
  return {
    node,
    kind,
    weight,
    onsetAt: trouble.onsetAt,
    path: [{ from: node, to: trouble.symptom, edge: "depends_on", because: says }],
    evidence: [{ node, says, weight, onsetAt: trouble.onsetAt, origin }],
    explains: [...trouble.affected.keys()],
  };
}

function signed(
  { view }: Case,
  trouble: Trouble,
  changes: readonly Change[],
  { kind, pattern, servicesMin, nats }: Sign,
): readonly Finding[] {
  const lines = trouble.said.filter(({ example }) => pattern.test(example));
  const speakers = new Set(lines.map(({ node }) => node));
  const feed = view
    .of("condition")
    .find(
      ({ node, status, message, name }) =>
        splitNodeId(node)?.kind === "external" &&
        status === "true" &&
        (pattern.test(message) || pattern.test(`${name} ${node}`)),
    );
  const [line] = lines;
  if (line === undefined || speakers.size < servicesMin) return [];
  if (changes.some((change) => isTouched(change, pattern, trouble))) return [];
  const isMeasured = kind === "host.saturated" && hostsDepart(view, trouble);
  const weight =
    nats +
    Math.min(2, 0.75 * (speakers.size - 1)) +
    (feed === undefined ? 0 : 2) +
    (isMeasured ? 1.75 : 0);
  const told = feed === undefined ? "" : `; its state is told as "${feed.message.slice(0, 120)}"`;
  const says = `${speakers.size} say "${line.example.slice(0, 140)}" since the onset${told}`;
  return [found(trouble, kind, weight, says, feed?.origin ?? line.origin)];
}

/** A machine left its past when, or before, the service did. */
function hostsDepart(view: View, { onsetAt }: Trouble): boolean {
  return view
    .of("series")
    .filter(({ node }) => splitNodeId(node)?.kind === "host")
    .some(
      (series) => (departureOf(series)?.at ?? Number.POSITIVE_INFINITY) <= onsetAt + toleranceMs,
    );
}

/** A change before the onset that has the same words in what it changes is a cause of our own. */
function isTouched({ at, diff }: Change, pattern: RegExp, { onsetAt }: Trouble): boolean {
  const lines = (diff ?? []).flatMap(({ removed, added }) => [...removed, ...added]);
  return at <= onsetAt && lines.some((line) => pattern.test(line));
}

const foreignHost = /\b((?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|ai|co|cloud|app))\b/i;
const failing =
  /5\d\d\b|timed? ?out|timeout|unavailable|refused|reset|rate limit|429|deadline|overloaded|degraded|outage/i;

/** A host that is nobody's of ours, named in errors, and in no change. */
function provider(
  { view }: Case,
  trouble: Trouble,
  changes: readonly Change[],
): readonly Finding[] {
  const lines = trouble.said.filter(
    ({ example, severity }) =>
      severity !== "info" && foreignHost.test(example) && failing.test(example),
  );
  const hosts = new Map<string, LogTemplate>();
  for (const line of lines) hosts.set(foreignHost.exec(line.example)?.[1] ?? "", line);
  const [first] = [...hosts].filter(([host]) => !changes.some((change) => mentions(change, host)));
  if (first === undefined) return [];
  const [host, line] = first;
  const says = `calls to ${host} fail since the onset, which no change names: "${line.example.slice(0, 140)}"`;
  const feed = view
    .of("condition")
    .some(({ node, status }) => splitNodeId(node)?.kind === "external" && status === "true");
  return [found(trouble, "external.provider", feed ? 7 : 5, says, line.origin)];
}

const mentions = ({ diff }: Change, host: string): boolean =>
  (diff ?? []).some(({ added, removed }) =>
    [...added, ...removed].some((line) => line.includes(host)),
  );

/** The same record again and again: an offset, a message or a row that cannot be worked on, where others can. */
const record =
  /(?:offset|record(?:_?id)?|message(?:_?id)?|row|event(?:_?id)?|partition|key)[ =:#]+([\w.-]*\d[\w.-]*)/gi;
const malformed =
  /invalid|malformed|out of range|validation|corrupt|unexpected|poison|cannot parse|bad (?:data|record)|decode|redeliver/i;
const repeatsMin = 2;

function poison(trouble: Trouble): readonly Finding[] {
  const seen = new Map<string, { count: number; lines: LogTemplate[] }>();
  for (const line of trouble.said.filter(({ example }) => malformed.test(example)))
    for (const [, id = ""] of line.example.matchAll(record)) {
      const before = seen.get(id) ?? { count: 0, lines: [] };
      seen.set(id, { count: before.count + line.count, lines: [...before.lines, line] });
    }
  const [worst] = [...seen].sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  const line = worst?.[1].lines[0];
  if (worst === undefined || line === undefined || worst[1].count < repeatsMin) return [];
  const [id, { count, lines }] = worst;
  const speakers = new Set(lines.map(({ node }) => node)).size;
  const isRight = lines.some(({ example }) => isOutside(example));
  const weight = 4.5 + (speakers > 1 ? 0.75 : 0) + (isRight ? 1.25 : 0);
  const because = isRight
    ? ", and the value that it shows is wrong by the range that it shows"
    : "";
  const says = `${id} fails again and again (${count} times${because}): "${line.example.slice(0, 140)}"`;
  return [found(trouble, "external.data", weight, says, line.origin)];
}

/** `out of range [-90,90] got 412.7`: whoever refuses this is right. */
function isOutside(example: string): boolean {
  const match = /\[\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\]\D{0,20}?(-?\d[\d.]*)/.exec(example);
  if (match === null) return false;
  const [low, high, value] = match.slice(1).map(Number);
  return (value ?? 0) < (low ?? 0) || (value ?? 0) > (high ?? 0);
}

/** Requests at least doubled shortly before anything else moved. */
const trafficGrowthMin = 2;
const trafficBeforeMs = 30 * 60_000;
const overload =
  /overload|rate limit|too many requests|\b429\b|queue (?:is )?full|shed|saturat|capacity/i;

function traffic({ view }: Case, trouble: Trouble): readonly Finding[] {
  const isOverloaded = trouble.said.some(({ example }) => overload.test(example));
  return view
    .of("series")
    .filter(({ node, signal }) => node === trouble.symptom && signal === "requests")
    .flatMap((series) => {
      const departure = departureOf(series);
      const leadMs = trouble.onsetAt - (departure?.at ?? Number.POSITIVE_INFINITY);
      if (departure === undefined || leadMs < 0) return [];
      const growth = departure.extreme / Math.max(departure.before, 1e-9);
      if (growth < trafficGrowthMin) return [];
      const weight = 2 + (leadMs <= trafficBeforeMs ? 1 : 0) + (isOverloaded ? 2 : 0);
      const says = `${series.name} rose from ${departure.before} to ${departure.extreme} before anything else moved`;
      return [found(trouble, "external.traffic", weight, says, series.origin)];
    });
}
