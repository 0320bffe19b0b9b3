/**
 * What a drill showed. The score is the least of its blocking controls: an average would hide the one that failed. A
 * drill whose fault did not take effect has shown nothing (AG-403 4.7).
 */
import type { DrillFindings, DrillVerdict } from "./journal.ts";

export interface Judged {
  readonly verdict: DrillVerdict;
  readonly score: number | null;
  /** Sentences, the weightiest first. */
  readonly because: readonly string[];
}

export function judgeDrill(findings: DrillFindings): Judged {
  const { controls, state, failed_rollbacks: unrolled, began } = findings;
  const broken: string[] = [];
  if (began && !state.restored)
    broken.push("the rollback did not restore the state that was found");
  for (const name of unrolled) broken.push(`the rollback "${name}" failed`);
  const steadyBefore = controls.filter(({ phase }) => phase === "steady_before");
  const judged = controls.filter(({ phase }) => phase !== "steady_before");
  const lost = judged.filter(({ blocking, met }) => blocking && !met);
  for (const { name, phase } of lost) broken.push(`"${name}" did not hold ${phaseText[phase]}`);
  const doubt = doubts(
    findings,
    steadyBefore.filter(({ met }) => !met).map(({ name }) => name),
  );
  // What must hold with the fault or without it stays a failure however little the rest has shown. What is expected of the
  // fault says nothing where there was none.
  const excused = lost.filter(({ phase }) => phase === "under_fault").length;
  const harmed = broken.length > excused;
  if (harmed || (lost.length > 0 && doubt.length === 0))
    return { verdict: "fail", score: 0, because: [...broken, ...doubt] };
  if (doubt.length > 0)
    return { verdict: "inconclusive", score: null, because: [...doubt, ...broken] };
  const blocking = judged.filter(({ blocking }) => blocking);
  if (blocking.length === 0)
    return { verdict: "inconclusive", score: null, because: ["no blocking control was looked at"] };
  const score = Math.min(...blocking.map(({ met }) => (met ? 1 : 0)));
  return { verdict: "pass", score, because: [`${blocking.length} blocking controls held`] };
}

const phaseText = {
  steady_before: "before the fault",
  steady_under_fault: "while the fault lasted",
  under_fault: "while the fault lasted",
  after_rollback: "after the rollback",
} as const;

function doubts(findings: DrillFindings, unsteady: readonly string[]): readonly string[] {
  const { proof, failed_actions: failed, aborted, interrupted, began } = findings;
  const doubt = unsteady.map((name) => `"${name}" did not hold before anything was done`);
  if (interrupted) doubt.push("the engine died in the drill; a later one rolled back");
  if (aborted !== null) doubt.push(`it was stopped: ${aborted}`);
  for (const name of failed) doubt.push(`"${name}" of the method failed`);
  if (!began) return doubt.length === 0 ? ["it never began"] : doubt;
  if (proof.length === 0) doubt.push("nothing shows that the fault took effect");
  for (const { name, held_before: before, held_after: after } of proof) {
    if (before) doubt.push(`"${name}" held before the fault already, so it proves nothing`);
    else if (!after) doubt.push(`the fault did not take effect: "${name}" did not hold`);
  }
  return doubt;
}
