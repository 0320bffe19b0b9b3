/** More requests than it is made for, brought from outside: the more, and the nearer before the trouble, the likelier. */
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import { found } from "./found.ts";
import { surgeOf } from "./surge.ts";
import type { Trouble } from "./trouble.ts";

const leadMs = 30 * 60_000;
const mostGrowthNats = 2.5;
/** What a service says that has more to do than it can: HTTP's 429, and that it sheds or queues. */
const overload =
  /overload|rate limit|too many requests|\b429\b|queue (?:is )?full|shed|saturat|capacity/i;

export function traffic({ view }: Case, trouble: Trouble): readonly Finding[] {
  const surge = surgeOf(view, trouble);
  if (surge === undefined || surge.makers.length > 0) return [];
  const { series, departure, growth } = surge;
  const weight =
    1 +
    Math.min(mostGrowthNats, 0.75 * Math.log(growth)) +
    (trouble.onsetAt - departure.at <= leadMs ? 1 : 0) +
    (isFull(trouble) ? 1.5 : 0);
  const says = `${series.name} rose from ${departure.before} to ${departure.extreme} before anything else moved`;
  return [found(trouble, "external.traffic", weight, says, series.origin)];
}

/** By its own word, or by a processor that has more to do; one that has less waits for something else. */
const isFull = ({ said, departed, symptom }: Trouble): boolean =>
  said.some(({ example }) => overload.test(example)) ||
  departed.some(
    ({ node, series, departure }) =>
      node === symptom && series.signal === "cpu" && departure.extreme > departure.before,
  );
