/** `negative_canary`: what must be denied is denied, by the policy and not by chance. */
import type { NegativeCanary } from "../../failover/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { echoOf, evaluate } from "./evaluation.ts";

export async function negativeCanary(asking: Asking<NegativeCanary>): Promise<Found> {
  const { verification, secrets } = asking;
  const { gateway_url: gatewayUrl, agent, tool, args, rule } = verification;
  const token = await secrets.read(verification.token);
  const asked = await evaluate(asking, { gatewayUrl, token, agent, tool, args });
  if (!asked.ok) return inconclusive(asked.error);
  const answer = asked.value;
  const echo = echoOf(answer);
  const { outcome, refusal, rules, callId } = answer;
  const seen: Partial<Found> = {
    observed: { outcome, rules, call: callId, ...(refusal === undefined ? {} : { refusal }) },
    ...(echo === undefined ? {} : { echo }),
  };
  const what = `${tool} for ${agent}`;
  if (answer.isAllowed || outcome !== "deny")
    return fail(`${what} must be denied, and it is ${outcome}`, seen);
  // Denied, but nobody knows what the policy says of it.
  if (refusal !== undefined)
    return inconclusive(
      `${what} is refused before the policy (${refusal}: ${answer.reason})`,
      seen,
    );
  if (rule !== undefined && !rules.includes(rule))
    return fail(`${what} is denied by ${rules.join(", ") || "no rule"}, expected ${rule}`, seen);
  if (echo === undefined)
    return inconclusive("its answer carries no receipt that names the site", seen);
  return pass(`${what} is denied${rules.length === 0 ? "" : ` by ${rules.join(", ")}`}`, seen);
}
