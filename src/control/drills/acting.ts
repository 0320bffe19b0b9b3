/** Whether agents act at a site: what its guard answers to a load balancer. */
import type { Acting, Site } from "../../failover/index.ts";
import type { DrillParts } from "./parts.ts";

const answerWithinMs = 2_000;

/** 200 from `/gate/{site}`: they act. 503: they do not. Anything else, and no answer: nobody knows. */
export async function actingSites(
  { http }: Pick<DrillParts, "http">,
  sites: readonly Site[],
): Promise<ReadonlyMap<string, Acting>> {
  const asked = sites.map(async ({ id, guard_url: guard }): Promise<[string, Acting]> => {
    const answer = await http.send({
      method: "GET",
      url: `${guard.replace(/\/$/, "")}/gate/${encodeURIComponent(id)}`,
      headers: {},
      headTimeoutMs: answerWithinMs,
      idleTimeoutMs: answerWithinMs,
    });
    if (!answer.ok) return [id, "unknown"];
    try {
      // Read to its end, so that the connection can be used again.
      for await (const _ of answer.value.body);
    } catch {
      return [id, "unknown"];
    }
    if (answer.value.status === 200) return [id, "acting"];
    return [id, answer.value.status === 503 ? "not_acting" : "unknown"];
  });
  return new Map(await Promise.all(asked));
}
