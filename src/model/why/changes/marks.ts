/** What a change left in the measurements, and what it does that is known to go wrong by itself. */
import type { Change, DiffPart, Signal } from "../../event.ts";
import type { View } from "../view.ts";
import { climbAt } from "./climb.ts";
import { fileKind } from "./diff.ts";
import { judgeLimit, limitChanges } from "./limits.ts";
import type { Part } from "./part.ts";
import { stepAt } from "./step.ts";
import type { Arrival } from "./suspect.ts";
import type { Trouble } from "./trouble.ts";
import { isSudden } from "./wait.ts";

export function marksOf(view: View, trouble: Trouble, arrival: Arrival): readonly Part[] {
  return [
    verbatim(view, trouble, arrival),
    grown(trouble, arrival),
    limits(view, trouble, arrival),
    backtracking(trouble, arrival.change),
    unclosed(trouble, arrival.change),
  ];
}

const none: Part = { nats: 0, reason: "" };

/** A name that somebody made up: with an underscore, or of two words, or all capitals. */
const coined = /\b(?:[A-Za-z]\w*_\w+|[A-Z][A-Z0-9]{4,}|[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+)\b/g;

/** A coined name that a change takes or brings, that a new error says, and that no other change and no usual line has. */
function verbatim(view: View, trouble: Trouble, { change }: Arrival): Part {
  const own = (change.diff ?? []).filter(({ path }) => fileKind(path) !== "aside");
  const count = (lines: readonly string[], name: string): number =>
    lines.filter((line) => line.includes(name)).length;
  const names = new Set(
    own.flatMap(({ added, removed }) =>
      [...added, ...removed].flatMap((line) => line.match(coined) ?? []),
    ),
  );
  const others = view.of("change").filter((each) => each !== change);
  const isOthers = (name: string): boolean =>
    others.some(({ diff }) =>
      (diff ?? []).some(({ added, removed }) => count([...added, ...removed], name) > 0),
    );
  const name = [...names].find((each) => {
    const [come, gone] = [own.flatMap(({ added }) => added), own.flatMap(({ removed }) => removed)];
    return (
      count(come, each) !== count(gone, each) &&
      trouble.said.some(({ example, severity }) => severity !== "info" && example.includes(each)) &&
      !trouble.normal.some(({ example }) => example.includes(each)) &&
      !isOthers(each)
    );
  });
  return name === undefined ? none : { nats: 4, reason: `changes ${name}, which is said since` };
}

/** What climbed already when it arrived is older than it; a climb or a step that came with it is its mark. */
function grown(trouble: Trouble, { target, at }: Arrival): Part {
  const climb = climbAt(trouble, target, at);
  if (climb?.began === "before it")
    return { nats: -2, reason: `${climb.departed.series.name} climbed before it came` };
  const taken = stepAt(trouble, target, at);
  if (taken === undefined)
    return climb === undefined
      ? none
      : { nats: 2, reason: `${climb.departed.series.name} climbs since it came` };
  const [before, after] = [taken.before, taken.after].map((value) => Number(value.toPrecision(3)));
  return {
    nats: 2.5,
    reason: `${taken.departed.series.name} went from ${before} to ${after} with it`,
  };
}

function limits(view: View, trouble: Trouble, { change, target }: Arrival): Part {
  const used = view
    .of("edge")
    .flatMap(({ from, to, kind }) => (kind === "calls" && from === target ? [to] : []));
  return (
    limitChanges(change.diff ?? [])
      .map((limit) => judgeLimit(view, trouble, [target, ...used], limit))
      .sort((a, b) => b.nats - a.nats)[0] ?? none
  );
}

/** https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS */
const nestedQuantifier = /\((?:[^()]|\\[()])*[+*](?:[^()]|\\[()])*\)+[+*]/;
const busy: ReadonlySet<Signal> = new Set(["cpu", "latency", "lag"]);

function backtracking({ departed }: Trouble, { diff }: Change): Part {
  const has = (part: DiffPart, lines: readonly string[]): boolean =>
    fileKind(part.path) === "code" && lines.some((line) => nestedQuantifier.test(line));
  const isNew = (diff ?? []).some((part) => has(part, part.added) && !has(part, part.removed));
  if (!isNew || !departed.some(({ series }) => busy.has(series.signal))) return none;
  return {
    nats: 3,
    reason: "brings a pattern that repeats what repeats, which some texts take for ever",
  };
}

/** By which languages close what was opened: Go, C#, Python, Java and what has a `finally`. */
const closing =
  /\bdefer\b|\busing\b\s*(?:\(|var\b)|\bwith\b.+:\s*$|\btry\s*\(|\bfinally\b|\bensure\b/;

/** What no longer closes by itself leaks, where something grew. */
function unclosed(trouble: Trouble, { diff }: Change): Part {
  const count = (lines: readonly string[]): number =>
    lines.filter((line) => closing.test(line.trim())).length;
  const isLost = (diff ?? []).some(
    ({ path, removed, added }) => fileKind(path) === "code" && count(removed) > count(added),
  );
  if (!isLost || isSudden(trouble)) return none;
  return { nats: 1.5, reason: "no longer closes by itself what it opens" };
}
