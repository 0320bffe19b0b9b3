/** Which node of the runtime model a call concerns: `target: service:{args.name}` in the catalog. */
import type { JsonObject } from "../kernel/index.ts";
import { type NodeKind, nodeKinds } from "../model/index.ts";
import type { Report } from "./decode.ts";
import { nearestWord } from "./diagnostic.ts";
import { valuesAt } from "./field-path.ts";
import type { FieldPath, TargetTemplate } from "./ir.ts";
import { readPath } from "./read-obligation.ts";
import type { SourceTool } from "./source.ts";
import type { Type } from "./types.ts";

/** Longer names are of nothing that the model has heard of. */
const targetCharactersMax = 1_024;

export function readTarget(
  tool: SourceTool["value"],
  args: Type,
  report: Report,
): TargetTemplate | undefined {
  const { target, change } = tool;
  if (target === undefined) {
    if (change !== undefined)
      report(change.at, {
        code: "missing-field",
        message: "change needs target: the node that is changed",
      });
    return undefined;
  }
  const colon = target.value.indexOf(":");
  const kind = target.value.slice(0, Math.max(colon, 0));
  if (!nodeKinds.includes(kind as NodeKind) || colon === target.value.length - 1) {
    report(target.at, {
      code: "bad-target",
      message: `${JSON.stringify(target.value)} names no kind of node`,
      nearest: nearestWord(kind, nodeKinds),
      hint: `write kind:name, as in service:{args.name}; kinds are ${nodeKinds.join(", ")}`,
    });
    return undefined;
  }
  const parts = readParts(target, colon + 1, args, report);
  return parts && { kind, parts, change: change?.value ?? "agent_action" };
}

function readParts(
  target: NonNullable<SourceTool["value"]["target"]>,
  from: number,
  args: Type,
  report: Report,
): readonly (string | FieldPath)[] | undefined {
  const parts: (string | FieldPath)[] = [];
  for (const [, text = "", braced] of target.value.slice(from).matchAll(/([^{}]+)|\{([^{}]*)\}/g)) {
    if (braced === undefined) {
      parts.push(text);
      continue;
    }
    const path = readPath({ ...target, value: braced }, args, report);
    if (path === undefined) return undefined;
    if (path.includes("*")) {
      report(target.at, { code: "bad-path", message: "this names one argument, without *" });
      return undefined;
    }
    parts.push(path);
  }
  if (/[{}]/.test(target.value.slice(from).replaceAll(/\{[^{}]*\}/g, ""))) {
    report(target.at, {
      code: "bad-target",
      message: `${JSON.stringify(target.value)} has a brace without its other`,
    });
    return undefined;
  }
  return parts;
}

/** Undefined when an argument that the name is made of is absent, or is no text and no whole number. */
export function targetOf(template: TargetTemplate, args: JsonObject): string | undefined {
  let name = "";
  for (const part of template.parts) {
    const value = typeof part === "string" ? part : valuesAt(args, part)[0];
    const isName = typeof value === "string" ? value !== "" : Number.isSafeInteger(value);
    if (!isName) return undefined;
    name += String(value);
  }
  return name.length > targetCharactersMax ? undefined : `${template.kind}:${name}`;
}
