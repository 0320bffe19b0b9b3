/** One of several alike that are not ours fails, and the others, who are called by the same code, do not. */
import type { Change, Series, Signal } from "../../event.ts";
import { splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import { effectOf } from "./diff.ts";
import { found } from "./found.ts";
import type { Trouble } from "./trouble.ts";
import { wordsOf } from "./words.ts";

interface Split {
  /** The word by which the names of the series differ. */
  readonly name: string;
  readonly siblings: readonly string[];
  readonly series: Series;
}

/** What is measured of calls to somebody. */
const ofCalls: ReadonlySet<Signal> = new Set(["errors", "latency", "availability"]);
const failing =
  /\b5\d\d\b|time(?:d )?-?out|unavailable|refused|reset|\b429\b|deadline|cancell?ed|fail/i;

export function partner(
  { view }: Case,
  trouble: Trouble,
  changes: readonly Change[],
): readonly Finding[] {
  const services = new Set(
    [...view.of("series"), ...view.of("log")].flatMap(({ node }) =>
      wordsOf(splitNodeId(node)?.name ?? ""),
    ),
  );
  const splits = splitsOf(view.of("series"), trouble).filter(
    ({ name }) => !wordsOf(name).some((word) => services.has(word)),
  );
  const [first] = splits;
  if (first === undefined || isTouched(changes, trouble, first)) return [];
  const { name, siblings, series } = first;
  const line = trouble.said.find(
    ({ example, severity }) =>
      severity !== "info" &&
      example.toLowerCase().includes(name.toLowerCase()) &&
      failing.test(example),
  );
  if (line === undefined) return [];
  const several = splits.filter((each) => each.name === name).length > 1;
  const says = `${series.name} left its past, that of ${siblings.join(", ")} did not: "${line.example.slice(0, 140)}"`;
  const nats = 5.5 + (several ? 1 : 0);
  return [found(trouble, "external.provider", nats, says, line.origin)];
}

/** Names of one node's series that are the same but for one word, of which one alone is in trouble. */
function splitsOf(all: readonly Series[], trouble: Trouble): readonly Split[] {
  const departed = new Set(
    trouble.departed.map(({ series }) => series).filter(({ signal }) => ofCalls.has(signal)),
  );
  return [...departed].flatMap((series) => {
    const parts = series.name.split("_");
    return parts.flatMap((name, i): readonly Split[] => {
      if (!/^[a-z]{3,}/i.test(name)) return [];
      const alike = all.filter((other) => {
        const words = other.name.split("_");
        return (
          other.node === series.node &&
          words.length === parts.length &&
          words.every((word, k) => (k === i ? word !== name : word === parts[k]))
        );
      });
      if (alike.length === 0 || alike.some((other) => departed.has(other))) return [];
      return [{ name, siblings: alike.map((other) => other.name.split("_")[i] ?? ""), series }];
    });
  });
}

/** A change that concerns this one and none of the others may have broken it alone. */
function isTouched(
  changes: readonly Change[],
  { onsetAt }: Trouble,
  { name, siblings }: Split,
): boolean {
  return changes.some(({ at, diff }) => {
    const { lost, gained } = effectOf(diff ?? []);
    const has = (each: string): boolean =>
      wordsOf(each).some((word) => lost.includes(word) || gained.includes(word));
    return at <= onsetAt && has(name) && !siblings.some(has);
  });
}
