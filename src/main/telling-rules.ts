/** From the configuration to the rules of who is told of what, where and when. */
import type {
  ApprovalsConfig,
  ChannelConfig,
  NoticeRouteConfig,
  RotationConfig,
} from "../cli/index.ts";
import {
  type ChannelRules,
  minuteOf,
  type NoticeRoute,
  type Rotation,
  type TellingRules,
} from "../control/index.ts";

export function tellingRules({ channels, routes, on_call, floods }: ApprovalsConfig): TellingRules {
  return {
    routes: routes.map(routeRules),
    channels: new Map(Object.entries(channels).map(([name, each]) => [name, channelRules(each)])),
    rotations: new Map(Object.entries(on_call).map(([name, each]) => [name, rotation(each)])),
    floods: {
      ...{ perAgentMax: floods.per_agent_max, totalMax: floods.total_max, decline: floods.decline },
    },
  };
}

function routeRules(config: NoticeRouteConfig): NoticeRoute {
  const { groups, tenants, risks, tools, agents, channels, on_call, reminders_max } = config;
  const { remind_every_seconds: every, escalate_after_seconds: after, escalate_to: to } = config;
  return {
    ...(groups && { groups }),
    ...(tenants && { tenants }),
    ...(risks && { risks }),
    ...(tools && { tools }),
    ...(agents && { agents }),
    channels,
    ...(on_call !== undefined && { onCall: on_call }),
    remindEveryMs: every === undefined ? null : every * 1_000,
    remindersMax: reminders_max,
    escalate:
      after === undefined || to === undefined ? null : { afterMs: after * 1_000, channels: to },
  };
}

function channelRules({ quiet_hours: quiet, digest_seconds: digest }: ChannelConfig): ChannelRules {
  return {
    quiet:
      quiet === undefined
        ? null
        : {
            fromMinute: minuteOf(quiet.from) ?? 0,
            toMinute: minuteOf(quiet.to) ?? 0,
            timeZone: quiet.time_zone,
          },
    loudRisks: quiet?.except ?? [],
    digestMs: digest === undefined ? null : digest * 1_000,
  };
}

function rotation({ approvers, starts, shift_hours, overrides }: RotationConfig): Rotation {
  return {
    ...{ approvers, startMs: Date.parse(starts), shiftMs: shift_hours * 3_600_000 },
    overrides: overrides.map(({ from, to, approver }) => {
      return { fromMs: Date.parse(from), toMs: Date.parse(to), approver };
    }),
  };
}
