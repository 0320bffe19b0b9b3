/** Evidence from what changed, and from what no change explains. */
import type { Evidence } from "../../answer.ts";
import type { Change } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { EvidenceSource, Finding, Found } from "../finding.ts";
import type { View } from "../view.ts";
import { externalCauses } from "./external.ts";
import { type Arrival, Suspects, type Suspicion } from "./suspect.ts";
import { type Trouble, troubleOf } from "./trouble.ts";
import { landingOf, reachedBy, type Ways, wayBetween, waysOf } from "./way.ts";

/** What is left when everything about a change is as usual: a weak reason to look at it. */
const baseNats = 1;
/** That something was deployed says nothing while nothing but the question says that there is trouble. */
const unseenTroubleNats = -3;

export const changeEvidence: EvidenceSource = (question): Found => {
  const trouble = troubleOf(question);
  if (trouble === undefined) return { findings: [] };
  const changes = question.view.of("change");
  const { without } = question.settings;
  const reached = reachedFrom(question, trouble.symptom);
  const suspects = new Suspects(question.view, trouble, reached, !without.has("time"));
  const ways = waysOf(question.view);
  const arrivals = arrivalsOf(changes).map((arrival) => landed(arrival, ways, trouble.symptom));
  const judged = spared(
    arrivals.flatMap((arrival) => suspects.judge(arrival) ?? []),
    question.view,
    trouble,
  );
  const late = arrivals.filter((arrival) => !judged.some((each) => each.arrival === arrival));
  return {
    findings: [
      ...best(judged).map((each) => findingOf(each, trouble, ways)),
      // What is outside of us is known as such by its type.
      ...(without.has("types") ? [] : externalCauses(question, trouble, changes)),
    ],
    ruledOut: late
      .filter(({ isNamed }) => isNamed)
      .map(({ change }) => ({ node: change.change, because: "it came after the onset" })),
  };
};

/** A deploy brings the commit it names, and those before it that no earlier deploy of the same target brought. */
function arrivalsOf(changes: readonly Change[]): readonly Arrival[] {
  const byNode = new Map(changes.map((change) => [change.change, change]));
  const commits = changes.filter(({ kind }) => kind === "commit");
  const namedByAny = new Set(changes.flatMap(({ causedBy }) => causedBy ?? []));
  const broughtUntil = new Map<NodeId, number>();
  const brought = changes
    .filter(({ kind }) => kind !== "commit")
    .flatMap((deploy): readonly Arrival[] => {
      const named = (deploy.causedBy ?? []).flatMap((node) => byNode.get(node) ?? []);
      if (named.length === 0)
        return deploy.targets.map((target) => ({
          change: deploy,
          target,
          at: deploy.at,
          isNamed: true,
          isAnothers: false,
        }));
      const until = Math.max(...named.map(({ at }) => at));
      return deploy.targets.flatMap((target) => {
        const since = broughtUntil.get(target) ?? Number.NEGATIVE_INFINITY;
        broughtUntil.set(target, Math.max(since, until));
        return commits
          .filter((commit) => named.includes(commit) || (commit.at <= until && commit.at > since))
          .map((change) => {
            const isNamed = named.includes(change);
            const isAnothers = !isNamed && namedByAny.has(change.change);
            return { change, target, at: deploy.at, isNamed, isAnothers };
          });
      });
    });
  return brought;
}

/** A setting fails nobody by itself: its change is judged at the first service that reads it, on the way to the symptom. */
function landed(arrival: Arrival, ways: Ways, symptom: NodeId): Arrival {
  const { target } = arrival;
  const landing = landingOf(wayBetween(ways, target, symptom) ?? [], target);
  return landing === target ? arrival : { ...arrival, target: landing, changed: target };
}

/** Instances of one thing have names that differ in a number. */
const kindOfInstance = (node: NodeId): string => node.replace(/\d+/g, "#");
const sparedNats = -3;

/** What came to all instances of a thing, of which only some suffer, did not do it. */
function spared(
  judged: readonly Suspicion[],
  view: View,
  { affected }: Trouble,
): readonly Suspicion[] {
  const measured = new Set(view.of("series").map(({ node }) => node));
  return judged.map((each) => {
    const { change, target } = each.arrival;
    const others = judged.filter(
      ({ arrival }) =>
        arrival.change === change &&
        kindOfInstance(arrival.target) === kindOfInstance(target) &&
        measured.has(arrival.target),
    );
    const well = others.filter(({ arrival }) => !affected.has(arrival.target));
    if (others.length < 2 || well.length === 0) return each;
    const reason = `came to ${others.length} alike, of which ${well.length} are well`;
    return { ...each, nats: each.nats + sparedNats, reasons: [...each.reasons, reason] };
  });
}

/** Each change once, where it is most suspicious. */
function best(judged: readonly Suspicion[]): readonly Suspicion[] {
  const byChange = new Map<NodeId, Suspicion>();
  for (const each of judged) {
    const node = each.arrival.change.change;
    const before = byChange.get(node);
    if (before === undefined || each.nats > before.nats) byChange.set(node, each);
  }
  return [...byChange.values()];
}

function findingOf(
  { arrival, kind, nats, reasons }: Suspicion,
  trouble: Trouble,
  ways: Ways,
): Finding {
  const { change, target, changed = target } = arrival;
  const isSeen = trouble.affected.size > 0 || trouble.said.length > 0;
  const weight = baseNats + nats + (isSeen ? 0 : unseenTroubleNats);
  const says = `"${change.title}": ${reasons.join("; ")}`;
  return {
    node: changed,
    kind,
    change: change.change,
    weight,
    onsetAt: trouble.onsetAt,
    path: [
      { from: change.change, to: changed, edge: "changed_by", because: says },
      ...(wayBetween(ways, changed, trouble.symptom) ?? []),
    ],
    evidence: [
      { node: changed, says, weight, onsetAt: trouble.onsetAt, origin: change.origin },
      ...firstWords(trouble),
    ],
    explains: [changed, target, ...explainedBy(target, trouble, ways)],
  };
}

/** Of what suffers, what trouble can have come to from there; all of it where no way from there is known. */
function explainedBy(target: NodeId, { symptom, affected }: Trouble, ways: Ways): NodeId[] {
  const suffering = [symptom, ...affected.keys()];
  if (!ways.has(target)) return suffering;
  const reached = reachedBy(ways, target);
  return suffering.filter((node) => reached.has(node));
}

/** What the service itself says since, in the words of its first new error: for people, it bears no weight of its own. */
function firstWords({ said, symptom, onsetAt }: Trouble): readonly Evidence[] {
  const line = said.find(({ node, severity }) => node === symptom && severity === "error");
  if (line === undefined) return [];
  const says = `${symptom} says "${line.example.slice(0, 160)}"`;
  return [{ node: symptom, says, weight: 0, onsetAt, origin: line.origin }];
}

function reachedFrom({ view }: Case, symptom: NodeId): readonly NodeId[] {
  const calls = [
    ...view.of("edge").filter(({ kind }) => kind === "calls"),
    ...view
      .of("traffic")
      .flatMap(({ caller, callee }) => (caller === null ? [] : [{ from: caller, to: callee }])),
  ];
  const seen = new Set<NodeId>([symptom]);
  for (const node of seen) for (const { from, to } of calls) if (from === node) seen.add(to);
  return [...seen].filter((node) => node !== symptom);
}
