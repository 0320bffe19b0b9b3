/** `holdfast tools --catalog`: a catalog to begin with. */
import type { ListedTool } from "./listed-tools.ts";

/**
 * YAML of the tools that nobody has declared. Effect and risk are those they have now, so adding the file to the policy
 * folder changes no decision; what a server says of its own tool stands beside as a remark, for people to judge.
 */
export function catalogSkeleton(tools: readonly ListedTool[]): readonly string[] {
  const undeclared = tools.filter(
    ({ resolved, pinned, definition }) =>
      resolved.from !== "catalog" && (pinned !== undefined || definition !== undefined),
  );
  if (undeclared.length === 0) return ["# Every known tool is declared."];
  return [
    "# Put this into your policy folder, and correct it: what is not declared is a write of risk high.",
    "tools:",
    ...undeclared.map(declaration),
  ];
}

function declaration({ id, resolved, pinned }: ListedTool): string {
  const { effect, risk } = resolved;
  const said = saying(pinned?.annotations ?? {});
  const remark = said.length === 0 ? "" : ` # its server says: ${said.join(", ")}`;
  return `  ${key(id)}: { effect: ${effect}, risk: ${risk} }${remark}`;
}

/** The hints of MCP's ToolAnnotations that are set to true. */
const hints = {
  readOnlyHint: "read only",
  destructiveHint: "destructive",
  idempotentHint: "idempotent",
  openWorldHint: "reaches the outside world",
} as const;

function saying(annotations: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(hints).flatMap(([hint, words]) =>
    annotations[hint] === true ? [words] : [],
  );
}

/** A name from outside must not become anything else in YAML. JSON strings are YAML's double-quoted ones. */
function key(id: string): string {
  if (/^[a-z][a-z0-9-]*:[\w./-]+$/.test(id)) return id;
  return JSON.stringify(id).replace(/\p{C}/gu, (found) =>
    found
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
