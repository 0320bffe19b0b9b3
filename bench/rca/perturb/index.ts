/** A set of incidents with its telemetry perturbed, to see how thin the margin of an answer is. */
import { Random } from "../../../src/sim/index.ts";
import type { Incident, OpenSet, Reader } from "../reader.ts";
import { type Perturbation, perturbations } from "./kinds.ts";
import { backwards, type Names, namesFor, renamed } from "./rename.ts";

export const perturbationNames: readonly string[] = Object.keys(perturbations);

/** The same folder, name and seed give the same perturbed incidents. */
export function openPerturbed(open: Reader, folder: string, name: string, seed: number): OpenSet {
  const perturbation = perturbations[name];
  if (perturbation === undefined) throw new Error(`there is no perturbation ${name}`);
  const chance = (id: string) => new Random(hashOf(`${name} ${seed} ${id}`));
  const { spans, lines } = perturbation;
  const set = open(folder, {
    spans: (id, told) => spans?.(told, chance(id)) ?? told,
    lines: (id, told) => lines?.(told, chance(id)) ?? told,
  });
  const names = new Map<string, Names>();
  const read = (from: Pick<OpenSet, "read">) => (id: string) => {
    const incident = perturbed(from.read(id), perturbation, chance(id));
    if (perturbation.isRenaming !== true) return incident;
    const own = namesFor(incident, chance(id));
    names.set(id, own);
    return renamed(incident, own);
  };
  const { healthy } = set;
  return {
    ...set,
    read: read(set),
    predict: (answer, incident, memory) => {
      const back = backwards(names.get(incident.id) ?? new Map());
      return set.predict(renamed(answer, back), renamed(incident, back), memory);
    },
    ...(healthy === undefined ? {} : { healthy: { ids: healthy.ids, read: read(healthy) } }),
  };
}

function perturbed(incident: Incident, { incident: change }: Perturbation, random: Random) {
  return change?.(incident, random) ?? incident;
}

/** FNV-1a, so that neighbouring seeds and ids share nothing. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
