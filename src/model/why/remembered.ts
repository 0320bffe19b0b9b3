/** Confirmed incidents beside what was found: the same trouble before is a reason to look there first, and is shown. */
import { recall } from "../memory/index.ts";
import type { Case } from "./case.ts";
import type { Finding, Found } from "./finding.ts";

export function rememberedEvidence(found: readonly Found[], { symptom, settings }: Case): Found {
  const { memory } = settings;
  if (memory.incidents.length === 0) return { findings: [] };
  const causes = new Map(
    found.flatMap(({ findings }) => findings).map((each) => [nameOf(each), each] as const),
  );
  return {
    findings: [...causes.values()].flatMap((cause) => {
      const { node, kind, onsetAt } = cause;
      const { incidents, nats } = recall(memory, { node, kind, at: symptom.at });
      const [first] = incidents;
      if (first === undefined) return [];
      const says = `such trouble was confirmed before: ${incidents.join(", ")}`;
      const origin = { source: "memory", reference: first };
      const change = cause.change === undefined ? {} : { change: cause.change };
      return [
        {
          node,
          kind,
          ...change,
          weight: nats,
          onsetAt,
          evidence: [{ node, says, weight: nats, origin }],
          remembered: incidents,
          explains: [],
        },
      ];
    }),
  };
}

const nameOf = ({ node, kind, change }: Finding): string =>
  JSON.stringify([node, kind, change ?? ""]);
