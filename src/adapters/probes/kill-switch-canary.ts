/** `kill_switch_canary`: a switch thrown for the canary's own agent is in force at the gateway, and is lifted again. */
import type { KillSwitchCanary } from "../../failover/index.ts";
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { type Evaluated, echoOf, evaluate, type Question } from "./evaluation.ts";
import { bearer, exchange, objectIn } from "./request.ts";

const pollMs = 100;
/** Lifting goes on when the probe is told to stop, and when its time is up. */
const liftTimeoutMs = 2_000;

type Asker = Asking<KillSwitchCanary>;

interface Admin {
  switches(): Promise<Result<readonly JsonObject[], string>>;
  stop(): Promise<Result<string, string>>;
  lift(id: string): Promise<Result<void, string>>;
}

export async function killSwitchCanary(asking: Asker): Promise<Found> {
  const { verification, secrets } = asking;
  const { gateway_url: gatewayUrl, agent, tool, args } = verification;
  const token = await secrets.read(verification.token);
  const adminToken = await secrets.read(verification.admin_token);
  const question: Question = { gatewayUrl, token, agent, tool, args };
  const admin = adminOf(asking, adminToken);
  // What an earlier canary of this site left, when its guard died in the middle of it.
  const cleared = await clear(admin, reasonOf(asking, ""));
  if (!cleared.ok) return inconclusive(cleared.error);
  const before = await evaluate(asking, question);
  if (!before.ok) return inconclusive(before.error);
  if (before.value.refusal === "paused")
    return inconclusive(`${agent} is paused already: ${before.value.reason}`);
  const found = await thrown(asking, admin, question);
  // Also when nobody knows whether it was thrown, and whatever told us to stop.
  const lifted = await clear(adminOf(withTimeOfItsOwn(asking), adminToken), reasonOf(asking, ""));
  if (!lifted.ok)
    return fail(
      `a switch for ${agent} may be left behind, see \`holdfast kill list\`: ${lifted.error}`,
    );
  return found.verdict === "pass" ? await goesOn(asking, question, found) : found;
}

async function thrown(asking: Asker, admin: Admin, question: Question): Promise<Found> {
  const startedMs = asking.clock.monotonicMs();
  const stopped = await admin.stop();
  if (!stopped.ok) return inconclusive(`the switch was not thrown: ${stopped.error}`);
  const id = stopped.value;
  const seen = await until(asking, question, (answer) => isPausedBy(answer, id));
  if (!seen.ok) {
    if (!asking.isTimeUp()) return inconclusive(seen.error);
    return fail(`the switch was thrown, and ${question.agent} was not stopped: ${seen.error}`);
  }
  const echo = echoOf(seen.value);
  const inForceMs = Math.round(asking.clock.monotonicMs() - startedMs);
  const more = {
    observed: { switch: id, in_force_ms: inForceMs, call: seen.value.callId },
    ...(echo === undefined ? {} : { echo }),
  };
  if (echo === undefined)
    return inconclusive("its answer carries no receipt that names the site", more);
  return pass(`${question.agent} is stopped ${inForceMs} ms after the switch is thrown`, more);
}

/** A switch that stays in force after it is lifted is broken too. */
async function goesOn(asking: Asker, question: Question, found: Found): Promise<Found> {
  const id = String(found.observed?.["switch"]);
  const seen = await until(asking, question, (answer) => !isPausedBy(answer, id));
  if (seen.ok) return found;
  const { observed } = found;
  const more = observed === undefined ? {} : { observed };
  if (!asking.isTimeUp()) return inconclusive(seen.error, more);
  return fail(`the switch was lifted, and ${question.agent} is still stopped`, more);
}

const isPausedBy = ({ refusal, reason }: Evaluated, id: string): boolean =>
  refusal === "paused" && reason.includes(`kill switch ${id},`);

/** Asks until the answer is as it should be. The error says what was seen last. */
async function until(
  asking: Asker,
  question: Question,
  isRight: (answer: Evaluated) => boolean,
): Promise<Result<Evaluated, string>> {
  let last = "it was not asked";
  while (!asking.signal.aborted) {
    const asked = await evaluate(asking, question);
    if (asked.ok && isRight(asked.value)) return ok(asked.value);
    if (asked.ok) last = `the last answer is ${asked.value.refusal ?? asked.value.outcome}`;
    else if (!asking.signal.aborted) last = asked.error;
    await asking.clock.sleep(pollMs, asking.signal);
  }
  return err(asking.isTimeUp() ? last : "it was told to stop");
}

/** Lifts every switch of this canary at this site. */
async function clear(admin: Admin, reason: string): Promise<Result<void, string>> {
  const listed = await admin.switches();
  if (!listed.ok) return listed;
  for (const { id, reason: because } of listed.value)
    if (typeof id === "string" && typeof because === "string" && because.startsWith(reason)) {
      const lifted = await admin.lift(id);
      if (!lifted.ok) return lifted;
    }
  return ok(undefined);
}

/** Names the site, so that guards of two sites leave each other's switches alone. */
const reasonOf = ({ question, verification }: Asker, nonce: string): string =>
  `Holdfast tries the kill switch at ${question.site} with ${verification.agent}; it lets go at once. ${nonce}`;

function adminOf(asking: Asker, token: string): Admin {
  const { admin_url: url, agent } = asking.verification;
  const at = `${url.replace(/\/$/, "")}/v1/kill`;
  const headers = bearer(token);
  const answered = async (
    sending: Omit<Parameters<typeof exchange>[1], "headers">,
    statuses: readonly number[],
  ): Promise<Result<JsonObject, string>> => {
    const sent = await exchange(asking, { ...sending, headers });
    if (!sent.ok) return sent;
    const body = objectIn(sent.value);
    if (!statuses.includes(sent.value.status))
      return err(`the admin API answers with status ${sent.value.status}`);
    return body === undefined ? err("the admin API answers no JSON") : ok(body);
  };
  const reason = reasonOf(asking, asking.question.nonce);
  return {
    switches: async () => {
      const read = await answered({ url: at }, [200]);
      return read.ok ? ok(switchesIn(read.value)) : read;
    },
    stop: async () => {
      const json = { mode: "pause", scope: { agent }, reason };
      const done = await answered({ method: "POST", url: at, json }, [201]);
      if (!done.ok) return done;
      const id = switchesIn(done.value).find((each) => each["reason"] === reason)?.["id"];
      return typeof id === "string" ? ok(id) : err("the admin API does not list the switch");
    },
    lift: async (id) => {
      // Gone already: somebody else has lifted it.
      const one = { method: "DELETE", url: `${at}/${encodeURIComponent(id)}` } as const;
      const done = await answered(one, [200, 404]);
      return done.ok ? ok(undefined) : done;
    },
  };
}

function switchesIn(state: JsonObject): readonly JsonObject[] {
  const { switches } = state;
  return isJsonArray(switches) ? switches.filter(isJsonObject) : [];
}

function withTimeOfItsOwn(asking: Asker): Asker {
  const signal = AbortSignal.timeout(liftTimeoutMs);
  const question = { ...asking.question, timeoutMs: liftTimeoutMs };
  return { ...asking, question, signal, isTimeUp: () => signal.aborted };
}
