/** The machine below: it left its past with the service, or before, and what watches over it reports errors of its own. */
import { splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import { found } from "./found.ts";
import { type Trouble, toleranceMs } from "./trouble.ts";

export function machine(_: Case, trouble: Trouble): readonly Finding[] {
  const [worst] = trouble.departed
    .filter(
      ({ node, at }) => splitNodeId(node)?.kind === "host" && at <= trouble.onsetAt + toleranceMs,
    )
    .map((departed) => ({ departed, growth: growthOf(departed.departure) }))
    .sort((a, b) => b.growth - a.growth || (a.departed.node < b.departed.node ? -1 : 1));
  if (worst === undefined) return [];
  const { series, departure, node } = worst.departed;
  const report = trouble.said.find(
    (line) => line.severity === "error" && splitNodeId(line.node)?.kind === "object",
  );
  const said =
    report === undefined ? "" : `; ${report.node} says "${report.example.slice(0, 120)}"`;
  const shown = [departure.before, departure.extreme].map((value) => Number(value.toPrecision(3)));
  const says = `${series.name} of ${node} went from ${shown[0]} to ${shown[1]}${said}`;
  const nats = 2 + (report === undefined ? 0 : 3);
  return [found(trouble, "host.saturated", nats, says, series.origin, node)];
}

const growthOf = ({ before, extreme }: { before: number; extreme: number }): number =>
  Math.abs(Math.log(Math.max(extreme, 1e-9) / Math.max(before, 1e-9)));
