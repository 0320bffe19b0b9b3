/** Data that came in and cannot be worked on: the same record fails again and again, where others pass. */
import type { LogTemplate } from "../../event.ts";
import { splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import { found } from "./found.ts";
import type { Trouble } from "./trouble.ts";

const malformed =
  /invalid|malformed|out of range|validation|corrupt|unexpected|poison|bad (?:data|record)|data ?error|redeliver|(?:can(?:not|'t)|could not|unable to|failed to) (?:be )?(?:pars|decod|convert|contain|deserializ|read)/i;
/** What has a digit in it and is long enough to name one thing; a file or an offset as well as an id. */
const identifier = /[\w./:@-]*\d[\w./:@-]*/g;
const charactersMin = 5;
/** Lengths of time, versions, addresses, regions and codes of status are the same in many lines, and no record's. */
const ordinary =
  /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|[kKMGT]i?B?|%)|v?\d+(?:\.\d+)+(?:-\w+)?|\d+\.\d+\.\d+\.\d+(?::\d+)?|\w+\.\w+:\d+|[a-z]{2}-[a-z]+-\d[a-z]?|0x[0-9a-f]{1,4}|\d{1,4})$/i;
const windowsMin = 3;

interface Suspect {
  readonly id: string;
  readonly lines: readonly LogTemplate[];
}

export function poison({ view }: Case, trouble: Trouble): readonly Finding[] {
  const logs = view.of("log");
  const names = new Set(logs.map(({ node }) => splitNodeId(node)?.name ?? node));
  const past = new Set([
    ...names,
    ...trouble.normal.flatMap(({ example, at }) =>
      at < trouble.onsetAt - arrivalMs ? idsIn(example) : [],
    ),
  ]);
  const suspects = trouble.said
    .filter(({ severity }) => severity === "error" || severity === "warn")
    .flatMap((line) => {
      const lines = logs.filter(
        ({ node, template, at }) =>
          node === line.node && template === line.template && at >= trouble.onsetAt,
      );
      return idsIn(line.example)
        .filter((id) => !past.has(id) && lines.every(({ example }) => example.includes(id)))
        .map((id): Suspect => ({ id, lines }));
    })
    .filter(({ lines }) => lines.length >= windowsMin || countOf(lines) >= 2 * windowsMin);
  const judged = suspects.map((suspect) => ({ suspect, ...judge(suspect, logs, trouble) }));
  const [worst] = judged.sort((a, b) => b.nats - a.nats || (a.suspect.id < b.suspect.id ? -1 : 1));
  if (worst === undefined || !worst.isPlain) return [];
  const { id, lines } = worst.suspect;
  const says = `${id} fails again and again (${countOf(lines)} times${worst.because}): "${lines[0]?.example.slice(0, 140)}"`;
  return [found(trouble, "external.data", worst.nats, says, lines[0]?.origin ?? trouble.origin)];
}

/** So long before the trouble it may have come in. */
const arrivalMs = 30 * 60_000;

const idsIn = (example: string): readonly string[] => [
  ...new Set(
    (example.match(identifier) ?? [])
      .map((id) => id.replace(/^[./:@-]+|[./:@-]+$/g, ""))
      .filter((id) => id.length >= charactersMin && !ordinary.test(id)),
  ),
];

const countOf = (lines: readonly LogTemplate[]): number =>
  lines.reduce((sum, { count }) => sum + count, 0);

interface Judged {
  readonly nats: number;
  readonly because: string;
  /** That the same is said again is not enough. */
  readonly isPlain: boolean;
}

function judge({ id, lines }: Suspect, logs: readonly LogTemplate[], trouble: Trouble): Judged {
  const [line] = lines;
  const others = new Set(
    logs
      .filter(
        ({ example, node, at }) =>
          node !== line?.node && at >= trouble.onsetAt - arrivalMs && example.includes(id),
      )
      .map(({ node }) => splitNodeId(node)?.name ?? node),
  );
  const isMalformed = lines.some(({ example }) => malformed.test(example));
  const isRight = lines.some(({ example }) => isOutside(example));
  const passes = logs.some(
    ({ node, severity, template, at }) =>
      node === line?.node &&
      severity === "info" &&
      at > trouble.onsetAt + passedMs &&
      trouble.known.has(`${node} ${template}`),
  );
  const reasons = [
    ...(others.size > 0 ? [`${[...others].sort().join(", ")} names it too`] : []),
    ...(isRight ? ["the value that it shows is wrong by the range that it shows"] : []),
    ...(passes ? ["others pass"] : []),
  ];
  return {
    nats:
      2.5 +
      (isMalformed ? 1.5 : 0) +
      (others.size > 0 ? 1.5 : 0) +
      (isRight ? 1.25 : 0) +
      (passes ? 0.75 : 0),
    because: reasons.map((reason) => `; ${reason}`).join(""),
    isPlain: others.size > 0 || (isMalformed && lines.some(({ example }) => isKeyed(example, id))),
  };
}

/** `offset=148820291`, `row 48211`: the line says what the value names. */
const isKeyed = (example: string, id: string): boolean =>
  [...example.matchAll(keyed)].some(([, value = ""]) => value.startsWith(id));
const keyed =
  /(?:offset|record(?:_?id)?|message(?:_?id)?|row|line|file|event(?:_?id)?|partition|key|object|document(?:_?id)?)[ =:#"']+([\w./:@-]*\d[\w./:@-]*)/gi;

const passedMs = 3 * 60_000;

/** `out of range [-90,90] got 412.7`: whoever refuses this is right. */
function isOutside(example: string): boolean {
  const match = /\[\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\]\D{0,20}?(-?\d[\d.]*)/.exec(example);
  if (match === null) return false;
  const [low, high, value] = match.slice(1).map(Number);
  return (value ?? 0) < (low ?? 0) || (value ?? 0) > (high ?? 0);
}
