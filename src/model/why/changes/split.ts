/** What failing lines say of one and the same partner, tenant or file, where others of its kind are served as before. */
import type { Change, LogTemplate } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import type { Blamed } from "./counterpart.ts";
import type { Trouble } from "./trouble.ts";

const windowsMin = 3;
const splitNats = 4.5;
const severalNats = 0.75;
const changedNats = -3;
/** `partner=acme`, `"tenant":"acme"`: a key that the line itself gives. */
const pair = /\b([A-Za-z_]\w*)["']?[=:]["']?([A-Za-z][\w./-]{2,})/g;

/** Of each service by itself, as only its own lines tell what it serves besides. */
export function split(
  view: View,
  trouble: Trouble,
  changes: readonly Change[],
): Blamed | undefined {
  const logs = view.of("log");
  const failing = new Set(trouble.said.filter(({ severity }) => severity !== "info").map(keyOf));
  const nodes = [...new Set(trouble.said.map(({ node }) => node))].sort();
  return nodes
    .flatMap((node) => ofNode(node, logs, failing, trouble, changes) ?? [])
    .sort((a, b) => b.nats - a.nats)[0];
}

const keyOf = ({ node, template }: LogTemplate): string => `${node} ${template}`;

function ofNode(
  node: NodeId,
  logs: readonly LogTemplate[],
  failing: ReadonlySet<string>,
  { onsetAt }: Trouble,
  changes: readonly Change[],
): Blamed | undefined {
  const own = logs.filter((log) => log.node === node);
  const bad = valuesOf(own.filter((log) => log.at >= onsetAt && failing.has(keyOf(log))));
  const good = valuesOf(own.filter(({ severity }) => severity === "info"));
  for (const [key, lines] of [...bad].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const values = new Set(lines.map(({ value }) => value));
    const [{ value = "", line } = {}] = lines;
    if (values.size !== 1 || lines.length < windowsMin || line === undefined) continue;
    const served = good.get(key) ?? [];
    const wasServed = served.some((each) => each.value === value && each.line.at < onsetAt);
    const others = new Set(
      served.flatMap((each) =>
        each.value !== value && each.line.at > onsetAt ? [each.value] : [],
      ),
    );
    if (!wasServed || others.size === 0) continue;
    const isChanged = changes.some(({ at, diff }) =>
      (diff ?? []).some((part) =>
        [...part.removed, ...part.added].some((text) => at <= onsetAt && text.includes(value)),
      ),
    );
    const nats = splitNats + (others.size > 1 ? severalNats : 0) + (isChanged ? changedNats : 0);
    const says = `only ${key}=${value} fails, ${[...others].sort().slice(0, 3).join(", ")} is served as before: "${line.example.slice(0, 140)}"`;
    return { nats, says, origin: line.origin };
  }
  return undefined;
}

interface Valued {
  readonly value: string;
  readonly line: LogTemplate;
}

function valuesOf(logs: readonly LogTemplate[]): ReadonlyMap<string, readonly Valued[]> {
  const byKey = new Map<string, Valued[]>();
  for (const line of logs)
    for (const [, key = "", value = ""] of line.example.matchAll(pair)) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [{ value, line }]);
      else known.push({ value, line });
    }
  return byKey;
}
