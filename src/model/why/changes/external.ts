/** Causes that no change of ours explains: what the logs, the platform and the provider say of them. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Change } from "../../event.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import { type Blamed, counterpart, toldTrouble } from "./counterpart.ts";
import { anywhere, found } from "./found.ts";
import { machine } from "./machine.ts";
import { partner } from "./partner.ts";
import { poison } from "./poison.ts";
import { signedCauses } from "./signs.ts";
import { split } from "./split.ts";
import { traffic } from "./traffic.ts";
import type { Trouble } from "./trouble.ts";
import { unknown } from "./wait.ts";

/** Another way to see the same thing fail is hardly independent of the first. */
const againNats = 0.75;

/** Said by our own log, or by a feed of somebody else's state; of each kind once. */
export function externalCauses(
  question: Case,
  trouble: Trouble,
  changes: readonly Change[],
): readonly Finding[] {
  const { view } = question;
  const arrivedAt = changes.filter(({ kind }) => kind !== "commit").map(({ at }) => at);
  const below = machine(view, trouble);
  const of = (kind: CauseKind, blamed: Blamed | undefined): readonly Finding[] =>
    blamed === undefined
      ? []
      : [found(trouble, kind, blamed.nats, blamed.says, blamed.origin, blamed.node)];
  return plainest(trouble, [
    ...signedCauses(question, trouble, changes),
    ...of("external.provider", counterpart(view, trouble, changes)),
    ...of("external.provider", toldTrouble(view, trouble)),
    ...of("external.provider", split(view, trouble, changes)),
    ...partner(question, trouble, changes),
    ...poison(question, trouble),
    ...of("host.saturated", below),
    ...traffic(question, trouble),
    ...of("external.unknown", unknown(view, trouble, arrivedAt)),
  ]);
}

/** The strongest of each kind, a little surer for each other way to see it, at the node that is known best. */
function plainest(trouble: Trouble, all: readonly Finding[]): readonly Finding[] {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const same = all.filter((each) => each.kind === kind).sort((a, b) => b.weight - a.weight);
    const [first] = same;
    if (first === undefined) return [];
    const node = same.find((each) => each.node !== anywhere(kind))?.node ?? first.node;
    const weight = first.weight + againNats * (same.length - 1);
    return first.evidence.map(({ says, origin }) =>
      found(trouble, kind, weight, says, origin, node),
    );
  });
}
