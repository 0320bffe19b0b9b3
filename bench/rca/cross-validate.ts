/**
 * How far to believe what memory adds: each case asked with a memory in which it is not. The memory of all others is nearest to
 * what a new incident will find; that of the other half shows what is lost where fewer are known.
 */
import { createHash } from "node:crypto";
import { type ConfirmedIncident, emptyMemory, type Memory } from "../../src/model/index.ts";
import { askAll } from "./ask.ts";
import type { OpenSet, Scores } from "./reader.ts";
import { meansTable } from "./table.ts";

/** Cuts in two, each by another hash of the ids. */
const halvings = 10;

type Labels = Readonly<Record<string, unknown>>;
type IsRemembered = (other: string, id: string) => boolean;

export function crossValidation(set: OpenSet, labels: Labels, limit: number): string {
  const incidents = set.ids
    .slice(0, limit)
    .flatMap((id) => set.confirmed?.(labels[id], set.read(id)) ?? []);
  if (incidents.length === 0) throw new Error("nothing of this set is worth remembering");
  const score = (isRemembered: IsRemembered) => {
    const memory = (id: string) => memoryOf(incidents, (other) => isRemembered(other, id));
    return askAll({ set, without: [], healthy: false, limit, memory }).map(
      ({ id, line }) => [id, set.score(line, labels[id])] as const,
    );
  };
  const halves = Array.from({ length: halvings }, (_, cut) =>
    score((other, id) => halfOf(other, cut) !== halfOf(id, cut)),
  );
  return [
    `remembering all other cases\n${table(score((other, id) => other !== id))}`,
    `remembering the other half, mean of ${halvings} cuts\n${table(halves.flat())}`,
  ].join("\n");

  function table(scores: readonly (readonly [string, Scores])[]): string {
    return meansTable(meansById(scores), (id) => set.groups(labels[id]));
  }
}

function memoryOf(
  incidents: readonly ConfirmedIncident[],
  isKnown: (id: string) => boolean,
): Memory {
  return { ...emptyMemory, incidents: incidents.filter(({ id }) => isKnown(id)) };
}

function halfOf(id: string, cut: number): number {
  return (createHash("sha256").update(`${cut} ${id}`).digest()[0] ?? 0) % 2;
}

/** Answers to one case are no cases of their own: their mean counts as one. */
function meansById(
  scores: readonly (readonly [string, Scores])[],
): readonly (readonly [string, Scores])[] {
  return [...new Set(scores.map(([id]) => id))].map((id) => {
    const own = scores.flatMap(([each, values]) => (each === id ? [values] : []));
    const names = Object.keys(own[0] ?? {});
    const mean = (name: string) =>
      own.reduce((sum, values) => sum + (values[name] ?? 0), 0) / own.length;
    return [id, Object.fromEntries(names.map((name) => [name, mean(name)]))] as const;
  });
}
