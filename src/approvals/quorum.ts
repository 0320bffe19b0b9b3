/** Who may answer, and whether enough have: every requirement is met by people of its own. */
import type { Approval, BoundAction, Question, Requirement, Vote } from "./approval.ts";

/** Somebody who may answer questions: a person, or an agent. */
export interface Approver {
  readonly id: string;
  readonly groups: readonly string[];
  /** Everything this person or agent is called where calls are made: principals, agent ids. */
  readonly alsoKnownAs: readonly string[];
}

/**
 * The requester never answers its own question, nor whoever it acts for or came through. In any case of letters: two
 * providers may write one address differently, and refusing somebody else's namesake is the smaller harm.
 */
export function isRequester(action: BoundAction, { id, alsoKnownAs }: Approver): boolean {
  const asking = [action.agent, ...action.delegation, action.principal ?? ""].map(folded);
  return [id, ...alsoKnownAs].some((name) => asking.includes(folded(name)));
}

function folded(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/** Whether a yes of these groups counts towards any requirement. */
export function isAsked(
  { requirements }: Pick<Question, "requirements">,
  groups: readonly string[],
): boolean {
  return requirements.some((requirement) => counts(requirement, groups));
}

function counts({ groups }: Requirement, held: readonly string[]): boolean {
  return groups.length === 0 || groups.some((group) => held.includes(group));
}

/**
 * How many places are still without somebody who said yes. Each approver fills one place; who fills which is chosen so
 * that the most are filled (augmenting paths, Kuhn 1955), or the order of votes would decide.
 */
export function missing({ requirements, votes }: Pick<Approval, "requirements" | "votes">): number {
  const places = requirements.flatMap((requirement) =>
    new Array<Requirement>(requirement.count).fill(requirement),
  );
  const yes = votes.filter(({ verdict }) => verdict === "approve");
  const holder = new Map<number, Vote>();
  const seat = (vote: Vote, tried: Set<number>): boolean =>
    places.some((place, i) => {
      if (tried.has(i) || !counts(place, vote.groups)) return false;
      tried.add(i);
      const sitting = holder.get(i);
      if (sitting !== undefined && !seat(sitting, tried)) return false;
      holder.set(i, vote);
      return true;
    });
  for (const vote of yes) seat(vote, new Set());
  return places.length - holder.size;
}
