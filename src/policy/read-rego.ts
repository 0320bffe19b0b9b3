/** `rego:` of a rule: a condition that a module of the users' own answers. */
import type { Result } from "../kernel/index.ts";
import type { Position, Problem } from "./diagnostic.ts";
import { nearestWord } from "./diagnostic.ts";
import type { RegoCondition } from "./ir.ts";
import type { RegoBundle } from "./rego-modules.ts";
import type { SourceRego } from "./source.ts";

/** By path in the policy folder; the error says why the file is no bundle to be used. */
export type RegoBundles = ReadonlyMap<string, Result<RegoBundle, string>>;

const timeoutMsDefault = 100;
const memoryMiBDefault = 16;

/** Undefined when it cannot be used; that was reported. */
export function readRego(
  source: SourceRego,
  bundles: RegoBundles,
  report: (at: Position, problem: Problem) => void,
): RegoCondition | undefined {
  const { bundle: path, entrypoint, timeout_ms: timeout, memory_mib_max: memory } = source;
  if (!path || !entrypoint) return undefined;
  const bundle = bundles.get(path.value);
  if (bundle === undefined) {
    const message = `the policy folder has no ${path.value}`;
    const nearest = nearestWord(path.value, [...bundles.keys()]);
    report(path.at, { code: "unknown-rego", message, nearest, hint: howToBuild });
    return undefined;
  }
  if (!bundle.ok) {
    const message = `${path.value}: ${bundle.error}`;
    report(path.at, { code: "bad-rego", message, hint: howToBuild });
    return undefined;
  }
  const { digest, entrypoints } = bundle.value;
  if (!entrypoints.includes(entrypoint.value)) {
    const message = `${path.value} has no entrypoint ${entrypoint.value}`;
    const nearest = nearestWord(entrypoint.value, entrypoints);
    const hint = `it has ${entrypoints.join(", ")}`;
    report(entrypoint.at, { code: "unknown-entrypoint", message, nearest, hint });
    return undefined;
  }
  return {
    op: "rego",
    module: digest,
    entrypoint: entrypoint.value,
    timeoutMs: timeout ?? timeoutMsDefault,
    memoryMiBMax: memory ?? memoryMiBDefault,
  };
}

const howToBuild = "build it with: opa build -t wasm -e <package>/<rule> -o <name>.tar.gz <files>";
