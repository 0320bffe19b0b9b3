/**
 * The completeness report (AG-403 4.1), in both directions: what the infrastructure has and the manifest does not, and
 * what the manifest has and no file shows. Every line has its place.
 */
import type { FoundInfrastructure, FoundPart } from "../../adapters/infrastructure/index.ts";
import { differences, type Manifest } from "../../failover/index.ts";
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import { type Diagnostic, diagnosticAt, type Problem } from "../../policy/index.ts";
import type { Findings } from "../findings.ts";
import { type Assembled, itemsOf } from "./assemble.ts";

/** Parts that no manifest can have, since nothing says what they are; and what is worth knowing of the others. */
export function unmarked(found: readonly FoundInfrastructure[]): readonly Diagnostic[] {
  return found
    .flatMap(({ parts }) => parts)
    .flatMap((part) => {
      const remarks = part.remarks.map((message) =>
        placed(part, { code: "remark", message: `${part.what}: ${message}`, severity: "warning" }),
      );
      if (part.component !== undefined || part.setAside) return remarks;
      const message = `${part.what} is in the infrastructure and in no manifest`;
      const hint = "mark it with holdfast.dev/class, or with none when nothing rests on it";
      return [placed(part, { code: "infrastructure-only", message, hint }), ...remarks];
    });
}

/** What the base alone has: whole components that people answer for, and additions to components that no file has. */
export function baseOnly(
  assembled: Assembled,
  base: JsonObject,
  findings: Findings | undefined,
): void {
  for (const [at, component] of itemsOf(base, "components").entries()) {
    const name = String(component["name"]);
    if (assembled.partsOf.has(name)) continue;
    const path = ["components", String(at)];
    const message = `${name} is in the base and in no file of the infrastructure`;
    const isWhole = component["class"] !== undefined;
    findings?.report(path, isWhole ? byHand(name) : { code: "manifest-only", message });
  }
}

function byHand(name: string): Problem {
  const message = `${name} is in the manifest by hand: no file of the infrastructure shows it`;
  return { severity: "warning", code: "manifest-only", message };
}

/**
 * `manifest` against what was assembled from the files, and `complete`, the same with every default filled in. With a
 * base, the files and the base together must say all that the manifest does. `findings` knows the places in the manifest.
 */
export function against(
  manifest: Manifest,
  assembled: Assembled,
  complete: JsonObject,
  hasBase: boolean,
  findings: Findings,
): readonly Diagnostic[] {
  const byName = (value: JsonObject): ReadonlyMap<string, JsonObject> =>
    new Map(itemsOf(value, "components").map((one) => [String(one["name"]), one]));
  const [drafts, completed] = [byName(assembled.value), byName(complete)];
  for (const [at, component] of manifest.components.entries()) {
    const { name } = component;
    const one = component as unknown as JsonObject;
    const path = ["components", String(at)];
    const draft = drafts.get(name);
    if (draft === undefined) {
      const message = `${name} (${component.class}) is in the manifest and in no file of the infrastructure`;
      findings.report(path, { code: "manifest-only", message });
      continue;
    }
    if (!assembled.partsOf.has(name)) findings.report(path, byHand(name));
    const whole = completed.get(name) ?? draft;
    const compared = hasBase ? { ...one, ...whole } : draft;
    for (const text of changes(one, compared, whole))
      findings.report(path, { code: "differs", message: `${name}: ${text}` });
  }
  siteChanges(manifest, assembled, findings);
  return missingIn(manifest, assembled);
}

function missingIn({ components }: Manifest, { partsOf }: Assembled): readonly Diagnostic[] {
  const missing = [...partsOf].filter(([name]) => !components.some((one) => one.name === name));
  return missing.flatMap(([name, parts]) =>
    parts.map((part) => {
      const message = `${part.what} is component ${name} of the infrastructure and not in the manifest`;
      return placed(part, { code: "infrastructure-only", message });
    }),
  );
}

function changes(one: JsonObject, draft: JsonObject, complete: JsonObject): readonly string[] {
  // What no file and no base says is not compared: the manifest alone knows it.
  const keys = Object.keys(draft);
  const only = (object: JsonObject): JsonObject =>
    Object.fromEntries(keys.map((key) => [key, object[key] as JsonValue]));
  return differences(only(one), only(complete)).map(({ path, before, after }) => {
    if (after === undefined) return `${path} is in the manifest (${short(before)}) and in no file`;
    if (before === undefined)
      return `${path} is ${short(after)} in the files and not in the manifest`;
    return `${path} is ${short(before)} in the manifest and ${short(after)} in the files`;
  });
}

function siteChanges(manifest: Manifest, assembled: Assembled, findings: Findings): void {
  for (const [id, { jurisdiction }] of assembled.siteSays) {
    const at = manifest.sites.findIndex((one) => one.id === id);
    if (at < 0) {
      const message = `site ${id} is in the infrastructure and not in the manifest`;
      findings.report(["sites"], { code: "infrastructure-only", message });
      continue;
    }
    const own = manifest.sites[at]?.jurisdiction;
    if (jurisdiction === undefined || jurisdiction === own) continue;
    const message = `site ${id} lies in ${own} by the manifest and in ${short(jurisdiction)} by the infrastructure`;
    findings.report(["sites", String(at), "jurisdiction"], { code: "differs", message });
  }
}

function placed(part: FoundPart, problem: Problem): Diagnostic {
  return diagnosticAt(part.place.file, part.place, problem);
}

function short(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
