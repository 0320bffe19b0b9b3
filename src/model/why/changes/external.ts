/** Causes that no change of ours explains: what the logs, the platform and the provider say of them. */
import { instantMs } from "../../../kernel/index.ts";
import type { CauseKind } from "../../cause-kind.ts";
import type { Change, LogTemplate } from "../../event.ts";
import { splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import type { View } from "../view.ts";
import { found } from "./found.ts";
import { machine } from "./machine.ts";
import { departureOf } from "./onset.ts";
import { partner } from "./partner.ts";
import { poison } from "./poison.ts";
import { surgeOf } from "./surge.ts";
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
      /x509|certificate (?:has )?(?:expired|is (?:expired|not (?:yet )?valid)|verify failed)|cert\w*[ _](?:has[ _])?expired|CERTIFICATE_VERIFY_FAILED|PKIX path|unknown authority|unable to get local issuer|not ?after/i,
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
  const partners = partner(question, trouble, changes);
  return [
    ...signs.flatMap((sign) => signed(question, trouble, changes, sign)),
    ...poison(question, trouble),
    ...(partners.length > 0 ? partners : provider(question, trouble, changes)),
    ...machine(question, trouble),
    ...traffic(question, trouble),
  ];
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
    (isMeasured ? 1.75 : 0) +
    (lines.some(({ example }) => endsAt(example, trouble.onsetAt)) ? 2 : 0);
  const told = feed === undefined ? "" : `; its state is told as "${feed.message.slice(0, 120)}"`;
  const says = `${speakers.size} say "${line.example.slice(0, 140)}" since the onset${told}`;
  return [found(trouble, kind, weight, says, feed?.origin ?? line.origin)];
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** What a line says to end at a time, ended when the trouble began. */
function endsAt(example: string, onsetAt: number): boolean {
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
function isTouched({ at, diff }: Change, pattern: RegExp, { onsetAt }: Trouble): boolean {
  const lines = (diff ?? []).flatMap(({ removed, added }) => [...removed, ...added]);
  return at <= onsetAt && lines.some((line) => pattern.test(line));
}

/** A name with dots where an address stands: behind a scheme or a word that leads to one, or before a port. */
const foreignHost =
  /(?:(?:\/\/|\b(?:host|lookup|to|from|upstream|contacting|resolve)[ =]["']?)((?:[a-z0-9-]+\.)+[a-z]{2,})|\b((?:[a-z0-9-]+\.)+[a-z]{2,}):\d{2,5}|\b((?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|ai|co|cloud|app)))\b/;
const ourDomain = /\.(?:svc|local|internal|cluster|lan|localdomain|go|java|py|rb|ts|js|cs)$/;
const failing =
  /5\d\d\b|timed? ?out|timeout|unavailable|refused|reset|rate limit|429|deadline|overloaded|degraded|outage/i;

/** Who is called, where a line names them by what they are to us. */
const party = /\b(?:provider|acquirer|partner|vendor|carrier|supplier|psp)[=:] ?"?([\w-]{3,})/i;

function hostIn(example: string): string | undefined {
  const [host = party.exec(example)?.[1]] = (foreignHost.exec(example) ?? [])
    .slice(1)
    .filter((each) => each !== undefined);
  return host === undefined || ourDomain.test(host) ? undefined : host;
}

/** A host that is nobody's of ours, named in errors, and in no change. */
function provider(
  { view }: Case,
  trouble: Trouble,
  changes: readonly Change[],
): readonly Finding[] {
  const lines = trouble.said.filter(
    ({ example, severity }) =>
      severity !== "info" && hostIn(example) !== undefined && failing.test(example),
  );
  const hosts = new Map<string, LogTemplate>();
  for (const line of lines) hosts.set(hostIn(line.example) ?? "", line);
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

const trafficBeforeMs = 30 * 60_000;
const overload =
  /overload|rate limit|too many requests|\b429\b|queue (?:is )?full|shed|saturat|capacity/i;

function traffic({ view }: Case, trouble: Trouble): readonly Finding[] {
  const surge = surgeOf(view, trouble);
  if (surge === undefined || surge.makers.length > 0) return [];
  const { series, departure } = surge;
  const isOverloaded = trouble.said.some(({ example }) => overload.test(example));
  const isBusy = trouble.departed.some(
    (each) => each.node === trouble.symptom && each.series.signal === "cpu",
  );
  const leadMs = trouble.onsetAt - departure.at;
  const weight = 2 + (leadMs <= trafficBeforeMs ? 1 : 0) + (isOverloaded ? 2 : isBusy ? 1.5 : 0);
  const says = `${series.name} rose from ${departure.before} to ${departure.extreme} before anything else moved`;
  return [found(trouble, "external.traffic", weight, says, series.origin)];
}
