/** Which channel is told of a question, and from when on. Pure: a function of the question, the rules and the time. */
import type { Approval, Approver } from "../../approvals/index.ts";
import { isAsked, isRequester } from "../../approvals/index.ts";
import { anyGlob } from "../../policy/index.ts";
import type { FloodLimits } from "./floods.ts";
import { onCallAt, type Rotation } from "./on-call.ts";
import { isQuiet, type QuietHours } from "./quiet-hours.ts";

export interface TellingRules {
  /** The first that fits a question is its route. None fits: nobody is told, and people look at the page themselves. */
  readonly routes: readonly Route[];
  readonly channels: ReadonlyMap<string, ChannelRules>;
  readonly rotations: ReadonlyMap<string, Rotation>;
  readonly floods: FloodLimits;
}

/** All that is named must agree; what is not named agrees with everything. */
export interface Route {
  readonly groups?: readonly string[];
  readonly tenants?: readonly string[];
  readonly risks?: readonly Approval["risk"][];
  /** Names with `*`. */
  readonly tools?: readonly string[];
  readonly agents?: readonly string[];
  readonly channels: readonly string[];
  /** Names a rotation; the person on call is called by name, the others may answer all the same. */
  readonly onCall?: string;
  readonly remindEveryMs: number | null;
  readonly remindersMax: number;
  readonly escalate: { readonly afterMs: number; readonly channels: readonly string[] } | null;
}

export interface ChannelRules {
  readonly quiet: QuietHours | null;
  /** Told at any hour. */
  readonly loudRisks: readonly Approval["risk"][];
  /** How long questions that may be answered together are gathered; null: each alone. */
  readonly digestMs: number | null;
}

/** A question to be told of by a channel, at this time. */
export interface Wanted {
  readonly channel: string;
  readonly approval: Approval;
  readonly isEscalation: boolean;
}

export function routeOf(approval: Approval, { routes }: TellingRules): Route | undefined {
  return routes.find((route) => fits(route, approval));
}

function fits({ groups, tenants, risks, tools, agents }: Route, approval: Approval): boolean {
  const asked = approval.requirements.flatMap((requirement) => requirement.groups);
  return (
    (groups === undefined || groups.some((group) => asked.includes(group))) &&
    (tenants === undefined || tenants.includes(approval.tenant)) &&
    (risks === undefined || risks.includes(approval.risk)) &&
    anyGlob(tools)(approval.tool) &&
    anyGlob(agents)(approval.agent)
  );
}

/**
 * When the second route is told. A question that would run out before, or soon after, is told half-way, so that it never
 * dies of a first route that nobody reads.
 */
export function escalatesAtMs(approval: Approval, route: Route): number | null {
  const { asked_ms, expires_ms } = approval;
  if (route.escalate === null) return null;
  const planned = asked_ms + route.escalate.afterMs;
  return expires_ms === null
    ? planned
    : Math.min(planned, asked_ms + Math.floor((expires_ms - asked_ms) / 2));
}

/** The channels of a pending question. `isDead`: the first route has had its time and could not be told. */
export function wantedFor(
  approval: Approval,
  rules: TellingRules,
  nowMs: number,
  isDead: boolean,
): readonly Wanted[] {
  const route = routeOf(approval, rules);
  if (route === undefined) return [];
  const told = (channels: readonly string[], isEscalation: boolean): Wanted[] =>
    channels
      .filter((channel) => !isSilent(channel, approval.risk, rules, nowMs))
      .map((channel) => ({ channel, approval, isEscalation }));
  const first = told(route.channels, false);
  const atMs = escalatesAtMs(approval, route);
  if (route.escalate === null || atMs === null || (nowMs < atMs && !isDead)) return first;
  const second = route.escalate.channels.filter((name) => !route.channels.includes(name));
  return [...first, ...told(second, true)];
}

/** Whether this channel keeps quiet now about something of that risk. Changing a message is no noise. */
export function isSilent(
  channel: string,
  risk: Approval["risk"],
  { channels }: TellingRules,
  nowMs: number,
): boolean {
  const { quiet = null, loudRisks = [] } = channels.get(channel) ?? {};
  return quiet !== null && !loudRisks.includes(risk) && isQuiet(quiet, nowMs);
}

/** Whose turn it is, if it may answer at all; empty: whoever may. */
export function turnFor(
  approval: Approval,
  rules: TellingRules,
  approvers: readonly Approver[],
  nowMs: number,
): readonly string[] {
  const name = routeOf(approval, rules)?.onCall;
  const rotation = name === undefined ? undefined : rules.rotations.get(name);
  const onCall = rotation && onCallAt(rotation, nowMs);
  return onCall !== undefined && eligibleFor(approval, approvers).includes(onCall) ? [onCall] : [];
}

export function eligibleFor(approval: Approval, approvers: readonly Approver[]): readonly string[] {
  return approvers
    .filter((each) => isAsked(approval, each.groups) && !isRequester(approval, each))
    .map(({ id }) => id);
}
