/** What is said in the words of a standard when something that is not ours fails: resolution, certificates, zones, machines. */
import { instantMs } from "../../../kernel/index.ts";
import type { CauseKind } from "../../cause-kind.ts";
import type { Change, Condition, LogTemplate } from "../../event.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import type { View } from "../view.ts";
import { found } from "./found.ts";
import { departureOf } from "./onset.ts";
import { type Trouble, toleranceMs } from "./trouble.ts";

interface Sign {
  readonly kind: CauseKind;
  readonly pattern: RegExp;
  /** One service may say so for reasons of its own; several have something in common outside of themselves. */
  readonly servicesMin: number;
  readonly nats: number;
  /** What fewer that say so are worth; absent: nothing. */
  readonly fewerNats?: number;
  /** It comes when its time has come, which people set to full hours. */
  readonly isTimed?: true;
}

const signs: readonly Sign[] = [
  {
    // getaddrinfo(3), RFC 1035 §4.1.1 and how resolvers of Go, Node and the JVM say so.
    kind: "external.dns",
    pattern:
      /no such host|enotfound|eai_again|servfail|nxdomain|name resolution|name or service not known|unknownhost|server misbehaving|lookup \S+ on \S+:53/i,
    servicesMin: 2,
    nats: 3.5,
    fewerNats: 1.75,
  },
  {
    // The alerts of RFC 8446 §6.2 and the texts of OpenSSL, Go and the JVM: that time ran out is no matter of opinion.
    kind: "external.certificate",
    pattern:
      /cert\w*[ _](?:has[ _]|is[ _])?expired|expired[ _]cert|certificateexpired|not ?after|(?:is )?not yet valid/i,
    servicesMin: 1,
    nats: 5,
    isTimed: true,
  },
  {
    kind: "external.certificate",
    pattern:
      /x509|certificate[ _](?:verify[ _]failed|revoked|unknown|required)|(?:bad|unsupported)[ _]certificate|PKIX path|unknown[ _](?:ca|authority|certificate authority)\b|unable to get (?:local )?issuer|SSLHandshake|handshake[ _]failure/i,
    servicesMin: 1,
    nats: 4,
    isTimed: true,
  },
  {
    kind: "external.region",
    pattern:
      /\b(?:availability zone|(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d[a-f]?)\b.*(?:unreachable|unavailable|outage|impair|degrad|timeout|lost|evacuat)|(?:unreachable|unavailable|outage|impair|degrad).*\b(?:us|eu|ap|sa|ca|me|af)-[a-z]+-\d[a-f]?\b/i,
    servicesMin: 2,
    nats: 4,
    fewerNats: 2,
  },
  {
    kind: "host.saturated",
    pattern:
      /evict|node\S* .*(?:pressure|contended|not ?ready)|(?:cpu|memory) contended|noisy|steal time|throttling container/i,
    servicesMin: 2,
    nats: 3.5,
  },
  {
    // What else runs out by its date, and is renewed.
    kind: "external.certificate",
    pattern:
      /(?:secret|licen[cs]e|subscription|credential|api[ _-]?key|domain)\b.{0,24}\bexpired|expired.{0,12}\b(?:secret|licen[cs]e|subscription|credential|api[ _-]?key|domain)/i,
    servicesMin: 1,
    nats: 4,
    isTimed: true,
  },
  {
    // What the APIs of clouds answer when a quota is used up, or when they have no more to give.
    kind: "external.provider",
    pattern:
      /Throttl(?:ing|ed)?Exception|RequestLimitExceeded|ThroughputExceeded|(?:Service)?QuotaExceeded|quota (?:has been )?exceeded|exceeded .{0,24}\bquota|Insufficient\w*Capacity|(?:userR|r)ateLimitExceeded|\bSlowDown\b|ZONE_RESOURCE_POOL_EXHAUSTED/i,
    servicesMin: 1,
    nats: 4,
  },
  {
    // errno(3): EIO and EROFS are the device's word.
    kind: "host.saturated",
    pattern: /input\/output error|\bEIO\b|read-only file ?system|\bEROFS\b/i,
    servicesMin: 1,
    nats: 3.5,
  },
];

/** Words of a change that are those of the trouble: it may have brought it. */
const touchedNats = -3;

/** Every sign that is seen. */
export function signedCauses(
  question: Case,
  trouble: Trouble,
  changes: readonly Change[],
): readonly Finding[] {
  return signs.flatMap((sign) => signed(question, trouble, changes, sign));
}

function signed(
  { view }: Case,
  trouble: Trouble,
  changes: readonly Change[],
  { kind, pattern, servicesMin, nats, fewerNats, isTimed }: Sign,
): readonly Finding[] {
  const lines = trouble.said.filter(({ example }) => pattern.test(example));
  const speakers = new Set(lines.map(({ node }) => node));
  const [line] = lines;
  const base = speakers.size >= servicesMin ? nats : fewerNats;
  if (line === undefined || base === undefined) return [];
  const feed = told(view).find(
    ({ node, message, name }) => pattern.test(message) || pattern.test(`${name} ${node}`),
  );
  const isMeasured = kind === "host.saturated" && hostsDepart(view, trouble);
  const isTouched = changes.some((change) => touches(change, pattern, trouble));
  const weight =
    base +
    Math.min(2, 0.75 * (speakers.size - 1)) +
    sparedSpeakersNats(speakers, changes, trouble) +
    (feed === undefined ? 0 : 2) +
    (isMeasured ? 1.75 : 0) +
    (isTimed && isFullHour(trouble.onsetAt) ? 1 : 0) +
    (lines.some(({ example }) => endsAt(example, trouble.onsetAt)) ? 2 : 0) +
    (isTouched ? touchedNats : 0);
  const state = feed === undefined ? "" : `; its state is told as "${feed.message.slice(0, 120)}"`;
  const says = `${speakers.size} say "${line.example.slice(0, 140)}" since the onset${state}`;
  return [found(trouble, kind, weight, says, feed?.origin ?? line.origin)];
}

/** Trouble that somebody else tells of his own. */
export const told = (view: View): readonly Condition[] =>
  view
    .of("condition")
    .filter(({ node, status }) => splitNodeId(node)?.kind === "external" && status === "true");

const sparedNats = 0.5;

/** Of those that say the same, those to which nothing came cannot say so for a change of their own. */
export function sparedSpeakersNats(
  speakers: ReadonlySet<NodeId>,
  changes: readonly Change[],
  { onsetAt }: Trouble,
): number {
  const changed = new Set(
    changes.flatMap(({ at, targets }) => (at <= onsetAt + toleranceMs ? targets : [])),
  );
  return Math.min(1, sparedNats * [...speakers].filter((node) => !changed.has(node)).length);
}

const hourMs = 3_600_000;

/** Measurements come once a minute: what begins with the hour is seen a little later. */
const isFullHour = (at: number): boolean =>
  (at + toleranceMs / 2) % hourMs <= toleranceMs + toleranceMs / 2;

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** What a line says to end at a time, ended when the trouble began. */
function endsAt(example: LogTemplate["example"], onsetAt: number): boolean {
  const [, text = ""] =
    /(?:not ?after|expire[sd]?(?: on| at)?|valid until|is after)\W*([^;)\]]{10,40})/i.exec(
      example,
    ) ?? [];
  const at = dateIn(text);
  return at !== undefined && Math.abs(at - onsetAt) <= 5 * toleranceMs;
}

/** RFC 3339, and as OpenSSL and Java print dates: `May 31 23:30:00 2026 GMT`, `Sun May 31 23:30:00 UTC 2026`. */
function dateIn(text: string): number | undefined {
  const [iso] = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/.exec(text) ?? [];
  if (iso !== undefined) return instantMs(iso);
  const [, month = "", day = "", time = ""] =
    /([A-Za-z]{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)/.exec(text) ?? [];
  const [year] = /\b\d{4}\b/.exec(text) ?? [];
  const number = months.indexOf(month.toLowerCase()) + 1;
  if (year === undefined || number === 0) return undefined;
  return instantMs(`${year}-${String(number).padStart(2, "0")}-${day.padStart(2, "0")}T${time}Z`);
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
function touches({ at, diff }: Change, pattern: RegExp, { onsetAt }: Trouble): boolean {
  const lines = (diff ?? []).flatMap(({ removed, added }) => [...removed, ...added]);
  return at <= onsetAt && lines.some((line) => pattern.test(line));
}
