/** Operations on the kill switch. Stopping and letting go again need a group that the configuration names. */
import { isJsonObject } from "../../kernel/index.ts";
import {
  type KillState,
  killKey,
  killStateJson,
  liftSwitches,
  readKillState,
  type Switch,
  type SwitchScope,
  stoppingModes,
  throwSwitch,
} from "../../limits/index.ts";
import type { Clock, Entropy } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import type { KnownApprover } from "../approvals/index.ts";
import { changeSwitches } from "../switches.ts";
import { jsonAnswer, type Problem, type WebResponse } from "../web.ts";
import type { AdminCall, AdminRoute } from "./route.ts";
import { reasonSchema, scopeSchema, stoppingModeSchema } from "./schemas.ts";

export interface KillParts {
  readonly state: SharedState;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly mayStop: (approver: KnownApprover) => boolean;
}

const notAllowed: Problem = {
  status: 403,
  code: "not_allowed",
  title: "Not allowed",
  detail: "You are in none of the groups of approvals.kill_groups in holdfast.yaml.",
};

export function killRoutes(parts: KillParts): readonly AdminRoute[] {
  return [
    {
      ...{ method: "GET", path: "/v1/kill", operation: "readKillSwitch" },
      summary: "What is stopped, and by whom",
      success: { status: 200, description: "All switches.", schema: "KillState" },
      refusals: {},
      answer: () => present(parts.state),
    },
    {
      ...{ method: "POST", path: "/v1/kill", operation: "stop" },
      summary: "Stop calls: all of them, or those named",
      description: "Gateways obey within a second; holdfast kill list shows who does.",
      body: {
        type: "object",
        properties: {
          mode: { ...stoppingModeSchema, default: "pause" },
          scope: scopeSchema,
          reason: reasonSchema,
        },
        required: ["scope", "reason"],
        additionalProperties: false,
      },
      success: { status: 201, description: "Thrown. All switches.", schema: "KillState" },
      refusals: { "403": notAllowed.detail, "409": "There are 1,000 switches already." },
      answer: (call) => stop(parts, call),
    },
    {
      ...{ method: "DELETE", path: "/v1/kill/{id}", operation: "lift" },
      summary: "Let calls through again",
      success: { status: 200, description: "Lifted. The switches left.", schema: "KillState" },
      refusals: { "403": notAllowed.detail, "404": "No such switch is thrown." },
      answer: (call) => lift(parts, call),
    },
  ];
}

async function present(state: SharedState): Promise<WebResponse | Problem> {
  const read = await state.read([killKey]);
  if (!read.ok) return unavailable(`the store is ${read.error.kind}: ${read.error.detail}`);
  const kill = readKillState(read.value.get(killKey));
  return kill.ok ? switchesAnswer(200, kill.value) : unavailable(kill.error);
}

async function stop(
  { state, clock, entropy, mayStop }: KillParts,
  { approver, body }: AdminCall,
): Promise<WebResponse | Problem> {
  if (!mayStop(approver)) return notAllowed;
  const { mode, scope, reason } = body;
  const thrown: Switch = {
    id: `kill-${Buffer.from(entropy.bytes(4)).toString("hex")}`,
    mode: mode === "dry_run" ? "dry_run" : "pause",
    scope: (isJsonObject(scope) ? scope : {}) as SwitchScope,
    reason: String(reason),
    by: approver.id,
    since: new Date(clock.wallMs()).toISOString(),
  };
  const full: { why?: string } = {};
  const done = await changeSwitches(state, (before) => {
    const after = throwSwitch(before, thrown);
    if (!after.ok) full.why = after.error;
    return after;
  });
  if (done.ok) return switchesAnswer(201, done.value);
  return full.why === undefined
    ? unavailable(done.error)
    : { status: 409, code: "too_many", title: "Too many switches", detail: `${full.why}.` };
}

async function lift(
  { state, mayStop }: KillParts,
  { approver, path }: AdminCall,
): Promise<WebResponse | Problem> {
  if (!mayStop(approver)) return notAllowed;
  const id = path["id"] ?? "";
  const known = { it: true };
  const done = await changeSwitches(state, (before) => {
    const after = liftSwitches(before, [id], stoppingModes);
    known.it = after.ok;
    return after;
  });
  if (done.ok) return switchesAnswer(200, done.value);
  return known.it
    ? unavailable(done.error)
    : { status: 404, code: "not_found", title: "No such switch", detail: `${done.error}.` };
}

function switchesAnswer(status: number, kill: KillState): WebResponse {
  return jsonAnswer(status, killStateJson(kill));
}

function unavailable(detail: string): Problem {
  return { status: 503, code: "store", title: "Store unavailable", detail: `${detail}.` };
}
