/** How people are told of approvals and answer where they are: the channels of the configuration, built and kept going. */
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import {
  followSocketMode,
  SlackApi,
  SlackInteractions,
  slackInteractivity,
  slackNotifier,
} from "../adapters/slack/index.ts";
import { openTelemetry } from "../adapters/telemetry/index.ts";
import { approverOf, type Config, type SlackConfig } from "../cli/index.ts";
import {
  ApprovalDesk,
  type ChannelStatus,
  ChatAnswers,
  Notices,
  outsideName,
} from "../control/index.ts";
import type { FrontResponse, Route } from "../gateway/index.ts";
import type { Log, Notifier } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { tellingRules } from "./telling-rules.ts";
import { version } from "./version.ts";

export interface TellingPorts {
  readonly state: SharedState;
  readonly log: Log;
}

export interface Telling {
  /** Where answers come in. */
  readonly routes: readonly Route[];
  /** Until the signal aborts; what is being sent is finished. */
  readonly follow: (signal: AbortSignal) => Promise<unknown>;
  /** The answer of `/metrics`. */
  readonly metrics: () => Promise<FrontResponse>;
  /** After `follow` has ended. */
  readonly close: () => Promise<void>;
  /** For `/statusz`. */
  readonly status: () => { readonly leading: boolean; readonly channels: readonly ChannelStatus[] };
}

type Following = (signal: AbortSignal) => Promise<unknown>;

interface Channels {
  readonly notifiers: Map<string, Notifier>;
  readonly routes: Route[];
  readonly following: Following[];
}

export function telling(config: Config, { state, log }: TellingPorts): Telling {
  const { approvals } = config;
  const telemetry = openTelemetry({
    ...{ serviceName: config.telemetry.service_name, serviceVersion: version },
    ...{ instance: "control", servers: [] },
  });
  const answers = chatAnswers(config, state);
  const channels: Channels = { notifiers: new Map(), routes: [], following: [] };
  if (approvals.slack !== undefined) addSlack(config, approvals.slack, answers, log, channels);
  const notices = new Notices({
    ...{ state, clock: systemClock, log, telemetry, rules: tellingRules(approvals) },
    ...{ approvers: approvals.approvers.map(approverOf), channels: channels.notifiers },
    ...{ pageUrl: approvals.url, run: Buffer.from(systemEntropy.bytes(8)).toString("hex") },
  });
  if (channels.notifiers.size > 0) channels.following.push((signal) => notices.follow(signal));
  return {
    routes: channels.routes,
    follow: (signal) => Promise.all(channels.following.map((each) => each(signal))),
    async metrics() {
      const { contentType, text } = await telemetry.metrics();
      const headers = { "content-type": contentType, "cache-control": "no-store" };
      return { status: 200, headers, body: Buffer.from(text) };
    },
    close: () => telemetry.close(),
    status: () => notices.status,
  };
}

function chatAnswers({ approvals }: Config, state: SharedState): ChatAnswers {
  const desk = new ApprovalDesk({ state, clock: systemClock, entropy: systemEntropy });
  const named = approvals.approvers.flatMap((config) => {
    const approver = approverOf(config);
    const names: [string, typeof approver][] = [[outsideName("id", approver.id), approver]];
    if (config.slack !== undefined) names.push([outsideName("slack", config.slack), approver]);
    if (config.teams !== undefined) names.push([outsideName("teams", config.teams), approver]);
    return names;
  });
  return new ChatAnswers({ state, desk, approvers: new Map(named), pageUrl: approvals.url });
}

function addSlack(
  { approvals }: Config,
  app: SlackConfig,
  answers: ChatAnswers,
  log: Log,
  { notifiers, routes, following }: Channels,
): void {
  const apiUrl = app.api_url;
  const api = new SlackApi({ apiUrl, botToken: () => app.bot_token.reveal() }, log);
  const members = new Map(
    approvals.approvers.flatMap(({ id, slack }) => (slack === undefined ? [] : [[id, slack]])),
  );
  for (const [name, { slack: to }] of Object.entries(approvals.channels))
    if (to !== undefined) notifiers.set(name, slackNotifier({ api, to, members }));
  const clock = systemClock;
  const interactions = new SlackInteractions({ answers, api, clock, log, team: app.team });
  const { signing_secret: secret, app_token: token } = app;
  if (secret !== undefined) {
    const signingSecret = (): string => secret.reveal();
    const face = slackInteractivity({ signingSecret, answers, interactions, log });
    routes.push({ prefix: "/slack/interactivity", face });
  }
  if (token !== undefined) {
    const socket = { appToken: () => token.reveal(), apiUrl, interactions, answers, clock, log };
    following.push((signal) => followSocketMode(socket, signal));
  }
}
