/**
 * The guard of a drill on its own blast radius (AG-403 4.7): it reaches only what it declared, only what the manifest
 * knows, and no site where agents act unless both the file and the operator allow it.
 */
import type { Manifest } from "../manifest/manifest.ts";
import type { Activity, DrillTarget, Experiment } from "./experiment.ts";

/** What a site says of itself: its gate is open, closed, or nobody answered. */
export type Acting = "acting" | "not_acting" | "unknown";

export interface Surroundings {
  readonly manifest: Manifest;
  readonly acting: ReadonlyMap<string, Acting>;
  /** The operator allows a site where agents act. */
  readonly allowReady: boolean;
}

/** Why it may not run, each a sentence; empty: it may. */
export function blastRadiusRefusals(
  experiment: Experiment,
  { manifest, acting, allowReady }: Surroundings,
): readonly string[] {
  const { governance } = experiment;
  const refusals: string[] = [];
  if (governance.deployment !== manifest.deployment)
    refusals.push(
      `it is for the deployment ${governance.deployment}, the manifest is of ${manifest.deployment}`,
    );
  for (const target of governance.targets) {
    refusals.push(...targetRefusals(target, manifest));
    const state = acting.get(target.site) ?? "unknown";
    if (state !== "not_acting" && !(allowReady && governance.allowReady))
      refusals.push(
        state === "acting"
          ? `agents act at the site ${target.site}; a drill there needs allow_ready_site in the file and --allow-ready`
          : `nobody says whether agents act at the site ${target.site}, so it is taken for a site where they do`,
      );
  }
  for (const activity of [...experiment.method, ...experiment.rollbacks])
    if (activity.kind === "action")
      refusals.push(...actionRefusals(activity, experiment, manifest));
  return [...new Set(refusals)];
}

function targetRefusals(target: DrillTarget, manifest: Manifest): readonly string[] {
  if (!manifest.sites.some(({ id }) => id === target.site))
    return [`the manifest has no site ${target.site}`];
  return target.components.flatMap((name) => {
    const component = manifest.components.find((each) => each.name === name);
    if (component === undefined) return [`the manifest has no component ${name}`];
    return component.sites.length === 0 || component.sites.includes(target.site)
      ? []
      : [`the component ${name} does not belong to the site ${target.site}`];
  });
}

function actionRefusals(
  { name, provider }: Activity,
  { governance }: Experiment,
  manifest: Manifest,
): readonly string[] {
  const reach = governance.reach[name];
  const target = governance.targets.find(({ site }) => site === reach?.site);
  if (reach === undefined || target === undefined)
    return [`the action "${name}" reaches the site ${reach?.site ?? "?"}, which is no target`];
  if (reach.component !== null && !target.components.includes(reach.component))
    return [`the action "${name}" reaches the component ${reach.component}, which is no target`];
  if (provider.type === "http") {
    const guard = manifest.sites.find(({ id }) => id === target.site)?.guard_url ?? "";
    const origins = [...target.origins, guard].map(originOf);
    return origins.includes(originOf(provider.url))
      ? []
      : [`the action "${name}" calls ${originOf(provider.url)}, which is no origin of its target`];
  }
  return pathsIn(provider.argv.slice(1))
    .filter((path) => !target.paths.some((allowed) => isBelow(path, allowed)))
    .filter((path) => !isProgram(path))
    .map((path) => `the action "${name}" names ${path}, which is no path of its target`);
}

/** `scheme://host:port`; a URL here has passed the reader. */
function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]+/i.exec(url)?.[0].toLowerCase() ?? url;
}

/** Absolute paths among the arguments, also behind `--flag=`. What follows `--` is a program: it is run, not changed. */
function pathsIn(args: readonly string[]): readonly string[] {
  return args
    .filter((_, i) => args[i - 1] !== "--")
    .map((arg) => (arg.startsWith("-") ? arg.slice(arg.indexOf("=") + 1) : arg))
    .filter((text) => text.startsWith("/"));
}

/** A program that an interpreter runs. */
function isProgram(path: string): boolean {
  return /\.(?:m?js|ts|py|sh)$/.test(path);
}

export function isBelow(path: string, folder: string): boolean {
  const clean = folder.replace(/\/+$/, "");
  return !path.split("/").includes("..") && (path === clean || path.startsWith(`${clean}/`));
}
