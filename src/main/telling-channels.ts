/** The channels of the configuration, built: how they tell, and where their answers come in. */
import { systemClock } from "../adapters/clock/index.ts";
import { emailNotifier } from "../adapters/email/index.ts";
import {
  followSocketMode,
  SlackApi,
  SlackInteractions,
  slackInteractivity,
  slackNotifier,
} from "../adapters/slack/index.ts";
import { teamsNotifier, teamsOutgoingWebhook } from "../adapters/teams/index.ts";
import { webhookDecisions, webhookNotifier } from "../adapters/webhook/index.ts";
import type { ChannelConfig, Config, SlackConfig } from "../cli/index.ts";
import type { ChatAnswers } from "../control/index.ts";
import type { Route } from "../gateway/index.ts";
import type { HttpTransport, Log, Notifier } from "../ports.ts";

export interface ChannelPorts {
  readonly answers: ChatAnswers;
  readonly http: HttpTransport;
  readonly log: Log;
}

export interface Channels {
  readonly notifiers: Map<string, Notifier>;
  readonly routes: Route[];
  readonly following: ((signal: AbortSignal) => Promise<unknown>)[];
}

export function channelsOf(config: Config, ports: ChannelPorts): Channels {
  const channels: Channels = { notifiers: new Map(), routes: [], following: [] };
  const { slack, channels: configured } = config.approvals;
  if (slack !== undefined) addSlack(config, slack, ports, channels);
  for (const [name, channel] of Object.entries(configured)) {
    addTeams(name, channel, ports, channels);
    addWebhook(name, channel, config, ports, channels);
    addEmail(name, channel, config, channels);
  }
  return channels;
}

function addTeams(
  channel: string,
  { teams }: ChannelConfig,
  { answers, http, log }: ChannelPorts,
  { notifiers, routes }: Channels,
): void {
  if (teams === undefined) return;
  const { url, outgoing_webhook_token: token } = teams;
  const answersInWords = token !== undefined;
  notifiers.set(channel, teamsNotifier({ http, url: () => url.reveal(), answersInWords }));
  if (token === undefined) return;
  const face = teamsOutgoingWebhook({ channel, token: () => token.reveal(), answers, log });
  routes.push({ prefix: `/hooks/${channel}`, face });
}

function addWebhook(
  channel: string,
  { webhook }: ChannelConfig,
  { approvals }: Config,
  { answers, http, log }: ChannelPorts,
  { notifiers, routes }: Channels,
): void {
  if (webhook === undefined) return;
  const { url, secret, decision_secret: back, decides_for = [] } = webhook;
  const out = { http, clock: systemClock, url, secret: () => secret.reveal() };
  notifiers.set(channel, webhookNotifier({ ...out, source: approvals.url }));
  if (back === undefined) return;
  const decidesFor = new Set(decides_for);
  const face = webhookDecisions({ channel, secret: () => back.reveal(), decidesFor, answers, log });
  routes.push({ prefix: `/hooks/${channel}`, face });
}

function addEmail(
  channel: string,
  { email }: ChannelConfig,
  { approvals }: Config,
  { notifiers }: Channels,
): void {
  const { email: sender, approvers } = approvals;
  if (email === undefined || sender === undefined) return;
  const addresses = new Map(
    approvers.flatMap(({ id, email: own }) => (own === undefined ? [] : [[id, own]])),
  );
  const { from, smtp } = sender;
  notifiers.set(
    channel,
    emailNotifier({ smtp: () => smtp.reveal(), from, to: email.to, addresses }),
  );
}

function addSlack(
  { approvals }: Config,
  app: SlackConfig,
  { answers, log }: ChannelPorts,
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
