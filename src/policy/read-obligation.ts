/** Obligations of a rule: `redact` a field in some way, or `require` a form of it. */
import type { Report } from "./decode.ts";
import { nearestWord, type Problem } from "./diagnostic.ts";
import { formatFieldPath, parseFieldPath } from "./field-path.ts";
import type { FieldPath, Obligation, Redaction } from "./ir.ts";
import { compileRegex } from "./regex.ts";
import type { SourceObligation, SourceRule, TextScalar } from "./source.ts";
import type { Type } from "./types.ts";

export function readObligations(
  rule: SourceRule,
  args: Type,
  report: Report,
): readonly Obligation[] {
  const sources = rule.obligations ?? [];
  const outcome = rule.outcome?.value;
  const at = rule.outcome?.at ?? rule.at;
  const redacts = sources.some(({ redact }) => redact);
  if (outcome === "deny" && sources.length > 0)
    report(at, { code: "bad-obligation", message: "a deny has no obligations" });
  if (outcome === "allow" && redacts)
    report(at, {
      code: "bad-obligation",
      message: "a rule that redacts has the outcome sanitize",
    });
  if (outcome === "sanitize" && rule.obligations && !redacts)
    report(at, { code: "bad-obligation", message: "sanitize needs something to redact" });
  if (outcome === "sanitize" && !rule.obligations)
    report(at, { code: "missing-field", message: "sanitize needs obligations: what to redact" });
  return sources.flatMap((source) => readObligation(source, args, report) ?? []);
}

function readObligation(
  source: SourceObligation,
  args: Type,
  report: Report,
): Obligation | undefined {
  const { redact, require } = source;
  if (source.given.has("redact") === source.given.has("require")) {
    report(source.at, {
      code: "bad-obligation",
      message: "an obligation has either redact or require, and the path of a field",
    });
    return undefined;
  }
  reportStrangers(source, report);
  if (redact) return readRedact(source, redact, args, report);
  return require && readRequire(source, require, args, report);
}

/** Fields that belong to the other kind, or to another way to redact. */
function reportStrangers(source: SourceObligation, report: Report): void {
  const strange = (field: string, at: SourceObligation["at"] | undefined, owner: string): void => {
    if (at) report(at, { code: "bad-obligation", message: `${field} belongs to ${owner}` });
  };
  if (source.redact) {
    strange("matches", source.matches?.at, "require");
    strange("optional", source.optional?.at, "require");
    if (source.with?.value !== "mask") strange("keep", source.keep?.at, "with: mask");
    if (source.with?.value !== "text") strange("text", source.text?.at, "with: text");
  } else {
    strange("with", source.with?.at, "redact");
    strange("keep", source.keep?.at, "redact");
    strange("text", source.text?.at, "redact");
  }
}

function readRedact(
  source: SourceObligation,
  field: TextScalar,
  args: Type,
  report: Report,
): Obligation | undefined {
  const path = readPath(field, args, report);
  const replacement = readRedaction(source, report);
  return path && replacement && { kind: "redact", path, replacement };
}

function readRedaction(source: SourceObligation, report: Report): Redaction | undefined {
  switch (source.with?.value) {
    case "mask":
      return { with: "mask", keep: source.keep?.value ?? 0 };
    case "digest":
    case "remove":
      return { with: source.with.value };
    case "text":
      if (source.text) return { with: "text", text: source.text.value };
      if (!source.given.has("text"))
        report(source.at, { code: "missing-field", message: "with: text needs text" });
      return undefined;
    default:
      if (!source.given.has("with"))
        report(source.at, {
          code: "missing-field",
          message: "redact needs with: mask, text, digest or remove",
        });
      return undefined;
  }
}

function readRequire(
  source: SourceObligation,
  field: TextScalar,
  args: Type,
  report: Report,
): Obligation | undefined {
  const path = readPath(field, args, report);
  const { matches } = source;
  if (!matches) {
    if (!source.given.has("matches"))
      report(source.at, { code: "missing-field", message: "require needs matches: a pattern" });
    return undefined;
  }
  const compiled = compileRegex(matches.value);
  if (compiled.ok)
    return (
      path && {
        kind: "require",
        path,
        pattern: matches.value,
        required: !(source.optional?.value ?? false),
      }
    );
  report(matches.at, { code: "bad-regex", message: `not an RE2 pattern: ${compiled.error}` });
  return undefined;
}

/** A path into arguments of this type. */
export function readPath(field: TextScalar, args: Type, report: Report): FieldPath | undefined {
  const path = parseFieldPath(field.value);
  if (!("message" in path)) {
    const problem = pathProblem(path, args);
    if (problem) report(field.at, problem);
    return path;
  }
  report(field.positionOf(path.at), {
    code: "bad-path",
    message: path.message,
    hint: 'write args.card.number, args.items[*].iban or args["first name"]',
  });
  return undefined;
}

/** A path into declared arguments must name something that can be there. */
function pathProblem(path: FieldPath, args: Type): Problem | undefined {
  let type = args;
  for (const [i, name] of path.entries()) {
    const here = formatFieldPath(path.slice(0, i));
    if (type.kind === "any") return undefined;
    const container = type.kind === "map" || (type.kind === "list" && name === "*");
    if (!container)
      return {
        code: "wrong-type",
        message: `${here} is a ${type.kind}, which has no ${name === "*" ? "elements" : `field ${name}`}`,
      };
    const next = memberType(type, name);
    if (!next)
      return {
        code: "unknown-field",
        message: `${here} has no field ${name}`,
        nearest: type.kind === "map" ? nearestWord(name, type.fields.keys()) : undefined,
      };
    type = next;
  }
  return undefined;
}

function memberType(type: Type, name: string): Type | undefined {
  if (type.kind === "list") return type.of;
  if (type.kind !== "map") return undefined;
  if (name === "*") return { kind: "any" };
  return type.fields.get(name)?.type ?? type.rest;
}
