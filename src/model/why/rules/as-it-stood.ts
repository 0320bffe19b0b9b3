/**
 * Since when it is so. A contradiction that stood already when the workload was well, while nothing has changed since, is
 * less likely the cause; one that was not there then is the likelier for it, and what changed between is shown.
 */
import {
  instantText,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../kernel/index.ts";
import type { NodeFact } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import { splitNodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";
import type { View } from "../view.ts";
import { Cluster } from "./cluster.ts";
import type { Rule } from "./finding-of.ts";
import { numberAt } from "./json-path.ts";

/** What people write; the rest of an object is what became of it. */
const written: ReadonlySet<string> = new Set(["spec", "data"]);
/** Controllers write these, after what people write. */
const generated = /^object:(?:Pod|ReplicaSet|EndpointSlice|Endpoints|Event|Lease)\//;
const newNats = 1.5;
const standingNats = -2.5;

export function asItStood(
  view: View,
  rules: readonly Rule[],
  found: readonly Finding[],
): readonly Finding[] {
  const facts = new History(view.of("node"));
  const before = new Map<number, readonly Finding[]>();
  return found.map((finding) => {
    const wellAt = facts.wellAt(finding.node);
    if (wellAt === undefined) return finding;
    const then = before.get(wellAt) ?? rulesAt(view, rules, facts, wellAt);
    before.set(wellAt, then);
    return judged(finding, then, facts.changedSince(wellAt, finding.node), wellAt);
  });
}

/** The rules on what was written until then, and on all else as it is now. */
function rulesAt(
  view: View,
  rules: readonly Rule[],
  facts: History,
  at: number,
): readonly Finding[] {
  const nodes = facts.asOf(at);
  const of = ((type) => (type === "node" ? nodes : view.of(type))) as View["of"];
  const cluster = new Cluster({ of });
  return rules.flatMap((rule) => rule(cluster));
}

function judged(
  finding: Finding,
  then: readonly Finding[],
  changed: readonly Changed[],
  wellAt: number,
): Finding {
  const saysOf = ({ evidence }: Finding): string => evidence[0]?.says ?? "";
  const stood = then.some(
    (each) =>
      each.node === finding.node && each.kind === finding.kind && saysOf(each) === saysOf(finding),
  );
  if (stood === changed.length > 0) return finding;
  const when = instantText(wellAt);
  const says = stood
    ? `it stood so at ${when}, when this was well, and nothing that is known was changed since`
    : `it was not so at ${when}, when this was well; since then ${changed
        .map(({ says: each }) => each)
        .slice(0, 3)
        .join("; ")}`;
  const nats = stood ? standingNats : newNats;
  const latest = changed.at(-1)?.fact;
  const origin = latest?.origin ??
    finding.evidence[0]?.origin ?? { source: "model", reference: "" };
  return {
    ...finding,
    weight: finding.weight + nats,
    onsetAt: latest?.at ?? finding.onsetAt,
    evidence: [...finding.evidence, { node: finding.node, says, weight: nats, origin }],
  };
}

interface Changed {
  readonly fact: NodeFact;
  readonly says: string;
}

class History {
  /** By node and aspect, in order of time. */
  readonly #facts = new Map<NodeId, Map<string, NodeFact[]>>();

  constructor(facts: readonly NodeFact[]) {
    for (const fact of facts) {
      const aspects = this.#facts.get(fact.node) ?? new Map<string, NodeFact[]>();
      const same = aspects.get(fact.aspect);
      if (same === undefined) aspects.set(fact.aspect, [fact]);
      else same.push(fact);
      this.#facts.set(fact.node, aspects);
    }
  }

  /** When a workload that is not well was last told to have all its replicas; absent when that is not known. */
  wellAt(node: NodeId): number | undefined {
    if (splitNodeId(node)?.kind !== "workload") return undefined;
    const statuses = this.#facts.get(node)?.get("status") ?? [];
    const last = statuses.at(-1);
    if (last === undefined || isWell(last.value)) return undefined;
    return statuses.findLast(({ value }) => isWell(value))?.at;
  }

  asOf(at: number): readonly NodeFact[] {
    return [...this.#facts].flatMap(([node, aspects]) => {
      if (generated.test(node)) return [...aspects.values()].flatMap((facts) => facts.slice(-1));
      const all = [...aspects.values()].flat();
      if (all.every((fact) => fact.at > at)) return [];
      return [...aspects].flatMap(([aspect, facts]) => {
        const known = written.has(aspect) ? facts.filter((fact) => fact.at <= at) : facts;
        return (known.length > 0 ? known : facts).slice(-1);
      });
    });
  }

  /** What people have written since, about the node itself first, then in its namespace and of the cluster. */
  changedSince(at: number, about: NodeId): readonly Changed[] {
    const home = namespaceOf(about);
    const found = [...this.#facts].flatMap(([node, aspects]) => {
      const space = namespaceOf(node);
      if (generated.test(node) || (space !== "" && space !== home)) return [];
      return [...aspects].flatMap(([aspect, facts]) => changeOf(node, aspect, facts, at));
    });
    return found.sort(
      (a, b) =>
        Number(b.fact.node === about) - Number(a.fact.node === about) || a.fact.at - b.fact.at,
    );
  }
}

/** "" for what belongs to none. */
function namespaceOf(node: NodeId): string {
  const { kind, name = "" } = splitNodeId(node) ?? {};
  const parts = name.split("/");
  if (kind === "workload") return parts[0] ?? "";
  return kind === "object" && parts.length === 3 ? (parts[1] ?? "") : "";
}

function changeOf(
  node: NodeId,
  aspect: string,
  facts: readonly NodeFact[],
  at: number,
): readonly Changed[] {
  const last = facts.at(-1);
  if (!written.has(aspect) || last === undefined || last.at <= at) return [];
  const before = facts.findLast((fact) => fact.at <= at);
  const paths =
    before === undefined ? ["it was made"] : differences(before.value, last.value, aspect);
  return paths.length === 0
    ? []
    : [{ fact: last, says: `${node}: ${paths.slice(0, 3).join(", ")}` }];
}

/** `path from a to b`, of every leaf that differs. */
function differences(
  a: JsonValue | undefined,
  b: JsonValue | undefined,
  path: string,
): readonly string[] {
  if (isBranch(a) && isBranch(b)) {
    const [x, y] = [
      a as Readonly<Record<string, JsonValue>>,
      b as Readonly<Record<string, JsonValue>>,
    ];
    const keys = [...new Set([...Object.keys(x), ...Object.keys(y)])].sort();
    return keys.flatMap((key) => differences(x[key], y[key], `${path}.${key}`));
  }
  const [from, to] = [a, b].map((value) => JSON.stringify(value ?? null).slice(0, 80));
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [`${path} from ${from} to ${to}`];
}

const isBranch = (value: JsonValue | undefined): boolean =>
  typeof value === "object" && value !== null;

/** As Deployments, StatefulSets and DaemonSets count. */
function isWell(status: JsonObject | null): boolean {
  if (status === null || !isJsonObject(status)) return false;
  const wanted = numberAt(status, "replicas") ?? numberAt(status, "desiredNumberScheduled");
  const ready =
    numberAt(status, "availableReplicas") ??
    numberAt(status, "readyReplicas") ??
    numberAt(status, "numberReady") ??
    0;
  const missing = numberAt(status, "unavailableReplicas") ?? 0;
  return wanted !== undefined && wanted > 0 && ready >= wanted && missing === 0;
}
