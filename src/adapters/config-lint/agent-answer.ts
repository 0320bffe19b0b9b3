/** The one trap in the program that answers HAProxy's agent-check. */
import type { Diagnostic } from "../../policy/index.ts";
import { found } from "./traps.ts";

/** An answer as HAProxy's manual lists them (`agent-check`), with the reason glued to it. */
const glued = /["'`\s](?:ready|drain|maint|down|failed|fail|stopped|up|\d{1,3}%)#/;

export function lintAgentAnswer(file: string, text: string): readonly Diagnostic[] {
  return text.split("\n").flatMap((line, at) => {
    const match = glued.exec(line);
    if (match === null) return [];
    const place = { line: at + 1, column: match.index + 1 };
    return [
      found(file, place, "agent-answer-space", `the answer ${JSON.stringify(match[0].trim())}`),
    ];
  });
}
