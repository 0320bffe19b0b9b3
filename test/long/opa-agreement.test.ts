/**
 * A million generated decisions: the native engine, its twin and a real OPA answer each alike. For the night, not for
 * every day: `npm run test:long`. HOLDFAST_DECISIONS asks for another number.
 */
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { agreementOn } from "../system/opa/agreement.ts";
import { questionsOf } from "../system/opa/questions.ts";

const decisions = Number(process.env["HOLDFAST_DECISIONS"] ?? 1_000_000);
/** Starting OPA is dear, so each set is asked more. */
const requestsPerSet = 100;
const groupSize = questionsOf(1, requestsPerSet).length;
const groups = Math.ceil(decisions / groupSize);
/** Groups of everyday's test are other ones. */
const firstGroup = 1_000;

test(`native, twin and OPA agree on ${groups * groupSize} decisions`, async () => {
  const outcomes: Record<string, number> = {};
  const beganMs = performance.now();
  let done = 0;
  const groupNumbers = Array.from({ length: groups }, (_, i) => firstGroup + i).values();
  const lane = async (): Promise<void> => {
    for (const group of groupNumbers) {
      const { verdicts, differences } = await agreementOn(questionsOf(group, requestsPerSet));
      expect(differences.slice(0, 1), `group ${group}`).toEqual([]);
      for (const { outcome } of verdicts) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      done += verdicts.length;
      const seconds = Math.round((performance.now() - beganMs) / 1_000);
      process.stdout.write(`${done} decisions agree, ${seconds} s, ${JSON.stringify(outcomes)}\n`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  expect(done).toBe(groups * groupSize);
  expect(Object.keys(outcomes).sort()).toEqual(["allow", "approval_needed", "deny", "sanitize"]);
});
