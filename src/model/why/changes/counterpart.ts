/** Whom failing calls have in common: a party that is not ours, named in what is said since, and in no change. */
import type { Change, LogTemplate, Origin } from "../../event.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import { sparedSpeakersNats, told } from "./signs.ts";
import type { Trouble } from "./trouble.ts";
import { wordsOf } from "./words.ts";

export interface Blamed {
  readonly nats: number;
  readonly says: string;
  readonly origin: Origin;
  /** Where it is known as a node of its own. */
  readonly node?: NodeId;
}

/** That it is named in an error that was not said before. */
const namedNats = 2.5;
/** Without a domain it may be one of ours of which nothing is known. */
const strangerNats = 1;
const changedNats = -3;
const feedNats = 2;

/** Its own word: HTTP's 5xx and 429 (RFC 9110 §15.6, RFC 6585), gRPC's, an alert of TLS, errno(3), what clouds answer when a limit is reached. */
const refusal =
  /\b5\d\d\b|\b429\b|too many requests|rate ?(?:limit|exceed)|quota|throttl|unavailable|resource.?exhausted|slow ?down|limit ?exceeded|remote error|refused|\breset\b|unreachable|maintenance|suspended/i;
/** Ours as well as its: nobody answered within what we allow. */
const silence = /time(?:d )?-?out|deadline|cancell?ed|no (?:answer|response)/i;

/** The party that most speaks against. */
export function counterpart(
  view: View,
  trouble: Trouble,
  changes: readonly Change[],
): Blamed | undefined {
  const byName = new Map<string, { lines: LogTemplate[]; isStranger: boolean }>();
  const ours = ourNames(view);
  for (const line of trouble.said.filter(({ severity }) => severity !== "info"))
    for (const { name, isStranger } of namesIn(line.example)) {
      if (ours.has(name.toLowerCase())) continue;
      const known = byName.get(name) ?? { lines: [], isStranger };
      known.lines.push(line);
      byName.set(name, known);
    }
  const hasFeed = told(view).length > 0;
  return [...byName]
    .map(([name, { lines, isStranger }]) => {
      const speakers = new Set(lines.map(({ node }) => node));
      const line = lines.find(({ example }) => refusal.test(example)) ?? lines[0];
      const nats =
        namedNats +
        (isStranger ? -strangerNats : 0) +
        wordNats(lines) +
        Math.min(2, 0.75 * (speakers.size - 1)) +
        sparedSpeakersNats(speakers, changes, trouble) +
        (hasFeed ? feedNats : 0) +
        (changes.some((change) => mentions(change, name)) ? changedNats : 0);
      return { name, nats, line, speakers };
    })
    .sort((a, b) => b.nats - a.nats || (a.name < b.name ? -1 : 1))
    .flatMap(({ name, nats, line, speakers }): readonly Blamed[] => {
      if (line === undefined) return [];
      const says = `${speakers.size} say that ${name} fails since the onset: "${line.example.slice(0, 140)}"`;
      const node = calledOutside(view).get(name.toLowerCase());
      return [{ nats, says, origin: line.origin, ...(node !== undefined && { node }) }];
    })[0];
}

const toldNats = 2;
const sharedNats = 0.5;
const mostSharedNats = 2;
/** People tell of their trouble while it lasts. */
const toldWithinMs = 3_600_000;

/** Trouble that a provider tells of at the time, surer by the words that it shares with ours. */
export function toldTrouble(view: View, trouble: Trouble): Blamed | undefined {
  const { said, alerted, normal, onsetAt } = trouble;
  const usual = new Set(normal.flatMap(({ template }) => wordsOf(template)));
  const ours = new Set([...said.map(({ example }) => example), alerted].flatMap(wordsOf));
  return told(view)
    .filter(({ at }) => Math.abs(at - onsetAt) <= toldWithinMs)
    .map(({ node, message, origin }) => {
      const words = new Set(wordsOf(`${splitNodeId(node)?.name ?? node} ${message}`));
      const shared = [...words].filter((word) => ours.has(word) && !usual.has(word)).sort();
      const nats = toldNats + Math.min(mostSharedNats, sharedNats * shared.length);
      const common = shared.length === 0 ? "" : `, as we do of ${shared.slice(0, 4).join(", ")}`;
      return { nats, says: `${node} tells of "${message.slice(0, 120)}"${common}`, origin };
    })
    .sort((a, b) => b.nats - a.nats)[0];
}

function wordNats(lines: readonly LogTemplate[]): number {
  if (lines.some(({ example }) => refusal.test(example))) return 2.5;
  return lines.some(({ example }) => silence.test(example)) ? 1 : 0;
}

/** Everything that has a name of its own here. */
function ourNames(view: View): ReadonlySet<string> {
  const nodes: NodeId[] = [
    ...view.of("series").map(({ node }) => node),
    ...view.of("log").map(({ node }) => node),
    ...view.of("change").flatMap(({ targets }) => targets),
    ...view.of("edge").flatMap(({ from, to }) => [from, to]),
  ];
  return new Set(
    nodes
      .filter((node) => splitNodeId(node)?.kind !== "external")
      .map((node) => (splitNodeId(node)?.name ?? node).toLowerCase()),
  );
}

/** Parties outside that calls were seen to, by name. */
function calledOutside(view: View): ReadonlyMap<string, NodeId> {
  const called = [
    ...view.of("traffic").map(({ callee }) => callee),
    ...view.of("edge").map(({ to }) => to),
  ];
  return new Map(
    called.flatMap((node) => {
      const split = splitNodeId(node);
      return split?.kind === "external" ? [[split.name.toLowerCase(), node] as const] : [];
    }),
  );
}

/** A name with dots where an address stands: behind a scheme or a word that leads to one, or before a port. */
const host =
  /(?:(?:\/\/|\b(?:host|lookup|to|from|upstream|contacting|resolve|dial)[ =]["']?)((?:[a-z0-9-]+\.)+[a-z]{2,})|(?<![\w/.-])((?:[a-z0-9-]+\.)+[a-z]{2,}):\d{2,5}|(?<![\w/.-])((?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|ai|co|cloud|app)))(?![\w-]|\.\w)/g;
const ourDomain =
  /\.(?:svc|local|internal|cluster|lan|localdomain|go|java|kt|scala|py|rb|ts|tsx|js|mjs|cs|rs|php|exs?|cpp|cc|swift)$/;
/** A proper name, or one of several parts, behind a word that leads to a party. */
const stranger =
  /\b(?:from|by|via|upstream|provider|vendor|partner)[ =:]["']?([A-Z][a-z]+[A-Za-z0-9]*|[a-z][a-z0-9]*(?:[-_][a-z0-9]+)+)\b/g;
/** Who is called, where a line names them by what they are to us. */
const party = /\b(?:provider|acquirer|partner|vendor|carrier|supplier|psp)[=:] ?"?([\w-]{3,})/gi;

function namesIn(example: string): readonly { name: string; isStranger: boolean }[] {
  const hosts = [...example.matchAll(host)].flatMap(([, ...groups]) =>
    groups.filter((each) => each !== undefined && !ourDomain.test(each)),
  );
  const parties = [...example.matchAll(party)].map(([, name = ""]) => name);
  const others = refusal.test(example)
    ? [...example.matchAll(stranger)].map(([, name = ""]) => name)
    : [];
  return [
    ...[...hosts, ...parties].map((name) => ({ name, isStranger: false })),
    ...others.map((name) => ({ name, isStranger: true })),
  ];
}

const mentions = ({ diff }: Change, name: string): boolean =>
  (diff ?? []).some(({ added, removed }) =>
    [...added, ...removed].some((line) => line.includes(name)),
  );
