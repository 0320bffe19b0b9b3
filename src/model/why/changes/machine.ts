/** The machine below: it left its past with the service, or before, and what watches over it reports errors of its own. */
import type { LogTemplate } from "../../event.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import type { Blamed } from "./counterpart.ts";
import { type Departed, type Trouble, toleranceMs } from "./trouble.ts";

/** So long before the trouble the platform may have said what became of it. */
const reportedMs = 15 * 60_000;

/** Trouble that a machine has before any service has some, none of them made. */
const leadNats = 1.5;
const leadMs = 60_000;

const isHost = (node: NodeId): boolean => splitNodeId(node)?.kind === "host";

export function machine(
  view: View,
  trouble: Trouble,
): (Blamed & Pick<Departed, "node">) | undefined {
  const [worst] = trouble.departed
    .filter(({ node, at }) => isHost(node) && at <= trouble.onsetAt + toleranceMs)
    .map((departed) => ({ departed, growth: growthOf(departed.departure) }))
    .sort((a, b) => b.growth - a.growth || (a.departed.node < b.departed.node ? -1 : 1));
  if (worst === undefined) return undefined;
  const { series, departure, node } = worst.departed;
  const report = reportOf(view, trouble);
  const isAlone = view
    .of("series")
    .some(
      (other) =>
        other.name === series.name &&
        isHost(other.node) &&
        !trouble.departed.some((each) => each.series === other),
    );
  const together = unconnected(view, trouble);
  const shown = [departure.before, departure.extreme].map((value) => Number(value.toPrecision(3)));
  const says = [
    `${series.name} of ${node} went from ${shown[0]} to ${shown[1]}`,
    ...(isAlone ? ["that of other machines did not"] : []),
    ...(report === undefined ? [] : [`${report.node} says "${report.example.slice(0, 120)}"`]),
    ...(together > 1 ? [`${together} services that do not call each other suffer at once`] : []),
  ].join("; ");
  const nats =
    2 +
    (report === undefined ? 0 : 3) +
    (isAlone ? 1 : 0) +
    (together > 1 ? 1.5 : 0) +
    (isFirst(node, trouble) ? leadNats : 0);
  return { nats, says, origin: series.origin, node };
}

function isFirst(host: NodeId, { departed }: Trouble): boolean {
  const first = (isIn: (node: NodeId) => boolean): number =>
    Math.min(...departed.filter(({ node }) => isIn(node)).map(({ at }) => at));
  return first((node) => node === host) + leadMs <= first((node) => !isHost(node));
}

/** What the kernel and the kubelet do to a process that misbehaves is a consequence. */
const consequence = /oom|out of memory|kill|probe|back-?off|restart/i;

/** What a part of the platform has said anew, about itself or what it runs. */
function reportOf(view: View, { onsetAt, known, said }: Trouble): LogTemplate | undefined {
  const isPlatform = ({ node, severity, example }: LogTemplate): boolean =>
    splitNodeId(node)?.kind === "object" &&
    (severity === "error" || severity === "warn") &&
    !consequence.test(example);
  const early = view
    .of("log")
    .filter(({ at }) => at >= onsetAt - reportedMs && at <= onsetAt)
    .filter((line) => isPlatform(line) && countBefore(view, line, onsetAt - reportedMs) === 0);
  return (
    said.find((line) => isPlatform(line) && !known.has(`${line.node} ${line.template}`)) ?? early[0]
  );
}

const countBefore = (view: View, { node, template }: LogTemplate, at: number): number =>
  view.of("log").filter((each) => each.node === node && each.template === template && each.at < at)
    .length;

/** How many services left their past at the onset of which none calls another. */
function unconnected(view: View, { affected, onsetAt }: Trouble): number {
  const calls = view.of("edge").filter(({ kind }) => kind === "calls");
  const services = [...affected]
    .filter(([node, at]) => splitNodeId(node)?.kind === "service" && at <= onsetAt + toleranceMs)
    .map(([node]) => node);
  const alone = services.filter(
    (node) =>
      !calls.some(
        ({ from, to }) =>
          (from === node && services.includes(to)) || (to === node && services.includes(from)),
      ),
  );
  return alone.length + (alone.length < services.length ? 1 : 0);
}

const growthOf = ({ before, extreme }: { before: number; extreme: number }): number =>
  Math.abs(Math.log(Math.max(extreme, 1e-9) / Math.max(before, 1e-9)));
