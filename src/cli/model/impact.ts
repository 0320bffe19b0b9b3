/**
 * `holdfast impact <action|target>`: what it would touch, kept to be compared with what then happens. Exit codes: 0; 2 wrong
 * usage, a target of which nothing is known, or a model that cannot be read.
 */
import { Predictions } from "../../control/index.ts";
import { isJsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { Config, ModelConfig } from "../config-types.ts";
import { openFolder } from "../policy.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { type ImpactAsked, type ImpactSources, impactOf } from "./impact-of.ts";
import { impactText } from "./impact-text.ts";
import { laterKnown, readMoments } from "./moment.ts";
import type { OpenedModel } from "./open.ts";
import { remembranceOf } from "./remembrance-of.ts";
import { timesAsText } from "./times-as-text.ts";

export interface ImpactOptions {
  readonly change?: string;
  readonly args?: string;
  readonly at?: string;
  readonly knownAt?: string;
  readonly json?: boolean;
  /** `--no-keep`: the prediction is not kept. */
  readonly keep: boolean;
}

export interface ImpactWorld extends OpenedModel {
  readonly state: SharedState;
  readonly config: Pick<Config, "policies"> & {
    readonly model: Pick<ModelConfig, "keep_days" | "kinds">;
  };
  readonly io: CommandOutput;
}

export async function showImpact(
  what: string,
  options: ImpactOptions,
  world: ImpactWorld,
): Promise<number> {
  const { io, state } = world;
  const asked = readAsked(what, options, world);
  if (typeof asked === "string") return refuse(io, asked);
  const sources = await impactSources(world);
  if (typeof sources === "string") return refuse(io, sources);
  const impact = impactOf(asked, sources);
  if (!impact.ok) return refuse(io, impact.error);
  const { prediction } = impact.value;
  // Who knows what came of it foretells nothing, and would look well calibrated.
  const isHindsight = asked.at < world.nowMs && (asked.knownAt ?? asked.at) > asked.at;
  if (options.keep && !isHindsight && prediction !== null) {
    const kept = await new Predictions(state).keep(prediction);
    if (!kept.ok) return refuse(io, kept.error);
  }
  if (options.json === true) io.out(JSON.stringify(timesAsText(impact.value), undefined, 2));
  else io.out(impactText(impact.value).trimEnd());
  return 0;
}

/** The policy is that of the configuration, where it can be read: what would apply is then named. The error is a sentence. */
export async function impactSources({
  graph,
  state,
  config,
  io,
}: ImpactWorld): Promise<ImpactSources | string> {
  const predictions = await new Predictions(state).all();
  if (!predictions.ok) return predictions.error;
  const policy = config.policies === undefined ? undefined : await policyIn(config.policies, io);
  const incidentKeepMs = remembranceOf(config.model).incident.keepMs;
  return { graph, predictions: predictions.value, policy, incidentKeepMs };
}

async function policyIn(folder: string, io: CommandOutput): Promise<ImpactSources["policy"]> {
  const quiet: CommandOutput = { out: () => undefined, err: () => undefined };
  const opened = await openFolder(folder, {}, quiet);
  if (opened?.loaded.set === undefined)
    io.err(`warning: the policy in ${folder} cannot be loaded (holdfast policy check says why)`);
  return opened?.loaded.set;
}

function readAsked(
  what: string,
  options: ImpactOptions,
  { graph, nowMs, io }: Pick<ImpactWorld, "graph" | "nowMs" | "io">,
): ImpactAsked | string {
  const moments = readMoments(options, nowMs);
  if (!moments.ok) return moments.error;
  const note = laterKnown(graph, moments.value);
  if (note !== undefined) io.err(`note: ${note}`);
  const args = parseJsonStrict(new TextEncoder().encode(options.args ?? "{}"));
  if (!args.ok || !isJsonObject(args.value)) return "--args: is no JSON object";
  return {
    ...{ what, at: moments.value.atMs, knownAt: moments.value.knownAtMs, args: args.value },
    ...(options.change === undefined ? {} : { change: options.change }),
  };
}

function refuse(io: CommandOutput, message: string): number {
  io.err(`error: ${message}`);
  return 2;
}
