/** What an action would touch, from the model, the policy and what happened to its like: for a person, a program, or an agent. */
import { createHash } from "node:crypto";
import { err, ok, type Result, type ToolId } from "../../kernel/index.ts";
import {
  type BlastRadius,
  type ChangeFelt,
  type ChangeKind,
  changeFelt,
  changeKinds,
  exercised,
  type Graph,
  incidentAspect,
  memoryOf,
  type NodeId,
  type Prediction,
  predict,
  readSymptom,
  splitNodeId,
  toleranceOf,
  unexpired,
  type View,
} from "../../model/index.ts";
import { anyGlob, type PolicySet, type Rule, targetOf } from "../../policy/index.ts";

/** Traffic of this time before the moment counts as what is exercised. */
export const exercisedMs: number = 60 * 60_000;
const similarMax = 20;

export interface ImpactAsked {
  /** A node by id or name, or a tool of the catalog. */
  readonly what: string;
  readonly change?: string;
  /** Of a tool. */
  readonly args?: Readonly<Record<string, unknown>>;
  readonly at: number;
  readonly knownAt?: number;
  readonly trafficMs?: number;
}

/** What the report is made from. */
export interface ImpactSources {
  readonly graph: Graph;
  readonly predictions: readonly Prediction[];
  /** Undefined where no policy is at hand. */
  readonly policy: PolicySet | undefined;
  /** Confirmed incidents that are older are not used any more. */
  readonly incidentKeepMs: number;
}

export interface SimilarAction {
  /** A change of the past, or a predicted action. */
  readonly action: string;
  readonly at: number;
  readonly title: string;
  readonly predicted: number | null;
  /** Part of the traffic that felt it; null where nobody has seen. */
  readonly felt: number | null;
}

export interface ApplyingPolicy {
  readonly rule: string;
  readonly outcome: Rule["outcome"];
  readonly reason: string;
  readonly tools: readonly ToolId[];
  /** Its condition looks at facts of the model. */
  readonly readsModel: boolean;
}

export interface Impact extends BlastRadius, ChangeFelt {
  readonly at: number;
  /** Requests that were seen in the time that counts. */
  readonly requests: number;
  readonly policies: readonly ApplyingPolicy[];
  readonly similar: readonly SimilarAction[];
  /** How the prediction is kept, to be compared with what happens. */
  readonly prediction: Prediction | null;
}

export function impactOf(asked: ImpactAsked, sources: ImpactSources): Result<Impact, string> {
  const view = sources.graph.asOf(asked.at, asked.knownAt);
  const meant = meantBy(asked, view, sources.policy);
  if (!meant.ok) return meant;
  const { target, change } = meant.value;
  const fromAt = asked.at - (asked.trafficMs ?? exercisedMs);
  const seen = exercised(view, { fromAt, toAt: asked.at });
  const predictions = sources.predictions.filter(
    ({ at, outcome }) => at <= view.validAt && (outcome === null || outcome.at <= view.knownAt),
  );
  const radius = predict(view, { target, change }, seen, toleranceOf(predictions));
  const keeping = { now: asked.at, keepMs: sources.incidentKeepMs };
  const memory = unexpired(memoryOf(view.facts(incidentAspect)), keeping);
  const experience = { memory, predictions };
  const felt = changeFelt(view, { exposed: radius, change }, seen, experience);
  return ok({
    ...radius,
    ...felt,
    at: asked.at,
    requests: seen.requests,
    policies: policiesFor(target, meant.value.tool, sources.policy),
    similar: similarTo(target, change, view, predictions),
    prediction: predictionOf(radius, felt, asked.at),
  });
}

interface Meant {
  readonly target: NodeId;
  readonly change: ChangeKind;
  readonly tool?: ToolId;
}

function meantBy(
  { what, change, args, at }: ImpactAsked,
  view: View,
  policy: PolicySet | undefined,
): Result<Meant, string> {
  if (change !== undefined && !changeKinds.includes(change as ChangeKind))
    return err(`\`${change}\` is no kind of change: give one of ${changeKinds.join(", ")}`);
  const tool = policy?.tools.find(({ id }) => id === what);
  if (tool !== undefined) {
    if (tool.target === undefined)
      return err(`the catalog says of no node that ${what} concerns it; give it a target:`);
    const target = targetOf(tool.target, (args ?? {}) as never);
    if (target === undefined)
      return err(`the arguments do not name the target of ${what}; give them with --args`);
    return ok({ target, change: (change as ChangeKind) ?? tool.target.change, tool: tool.id });
  }
  const read = readSymptom(what, at, view);
  if (!read.ok) return read;
  if (read.value.node === undefined) return err(`\`${what}\` names no node and no tool`);
  return ok({ target: read.value.node, change: (change as ChangeKind) ?? "agent_action" });
}

/** Rules that look at tools whose target can be of this kind; of one tool, when that is asked about. */
function policiesFor(
  target: NodeId,
  only: ToolId | undefined,
  policy: PolicySet | undefined,
): readonly ApplyingPolicy[] {
  if (policy === undefined) return [];
  const kind = splitNodeId(target)?.kind;
  const concerned = policy.tools.filter(
    (tool) => tool.target?.kind === kind && (only === undefined || tool.id === only),
  );
  return policy.rules.flatMap(({ id, match, outcome, reason, when }) => {
    const tools = concerned
      .filter(({ effect }) => match.effect === undefined || match.effect === effect)
      .map((tool) => tool.id)
      .filter(anyGlob(match.tools));
    const readsModel = JSON.stringify(when ?? null).includes('"op":"root","name":"model"');
    return tools.length === 0 ? [] : [{ rule: id, outcome, reason, tools, readsModel }];
  });
}

/** Of the same target first, then of the same kind anywhere; the newest first. */
function similarTo(
  target: NodeId,
  change: ChangeKind,
  view: View,
  predictions: readonly Prediction[],
): readonly SimilarAction[] {
  const predicted = predictions
    .filter((each) => each.change === change && each.outcome !== null)
    .map(({ id, at, share, outcome, ...each }) => ({
      ...{ action: id, at, title: `${change} of ${each.target}`, predicted: share.value },
      felt: outcome?.share ?? null,
      isSame: each.target === target,
    }));
  const changed = view
    .changes({ toAt: view.validAt }, { node: target, kinds: [change] })
    .map(({ change: action, at, title }) => ({
      ...{ action, at, title, predicted: null, felt: null },
      isSame: true,
    }));
  return [...predicted, ...changed]
    .sort((a, b) => Number(b.isSame) - Number(a.isSame) || b.at - a.at)
    .slice(0, similarMax)
    .map(({ isSame: _, ...each }) => each);
}

/** The same question about the same moment is the same prediction. */
function predictionOf(
  radius: BlastRadius,
  { feelings, likely: services }: ChangeFelt,
  at: number,
): Prediction | null {
  const { target, change, felt: share } = radius;
  if (share === null) return null;
  const named = createHash("sha256")
    .update(JSON.stringify([target, change, at]))
    .digest("hex");
  return {
    ...{ id: `imp-${named.slice(0, 20)}`, target, change, at, share, services },
    feelings: feelings.map(({ service, probability }) => ({ service, probability })),
    touched: radius.share?.value ?? 0,
    isDone: false,
    outcome: null,
  };
}
