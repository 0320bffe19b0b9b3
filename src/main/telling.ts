/** How people are told of approvals and answer where they are: the channels of the configuration, built and kept going. */
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { openTelemetry } from "../adapters/telemetry/index.ts";
import { approverOf, type Config } from "../cli/index.ts";
import {
  ApprovalDesk,
  ChatAnswers,
  Notices,
  type NoticesStatus,
  outsideName,
} from "../control/index.ts";
import type { FrontResponse, Route } from "../gateway/index.ts";
import type { HttpTransport, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { channelsOf } from "./telling-channels.ts";
import { tellingRules } from "./telling-rules.ts";
import { version } from "./version.ts";

export interface TellingPorts {
  readonly state: SharedState;
  readonly http: HttpTransport;
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
  readonly status: () => NoticesStatus;
  /** What `metrics` answers with. */
  readonly telemetry: Telemetry;
}

export function telling(config: Config, { state, http, log }: TellingPorts): Telling {
  const { approvals } = config;
  const telemetry = openTelemetry({
    ...{ serviceName: config.telemetry.service_name, serviceVersion: version },
    ...{ instance: "control", servers: [] },
  });
  const answers = chatAnswers(config, state);
  const channels = channelsOf(config, { answers, http, log });
  const notices = new Notices({
    ...{ state, clock: systemClock, log, telemetry, rules: tellingRules(approvals) },
    ...{ approvers: approvals.approvers.map(approverOf), channels: channels.notifiers },
    ...{ pageUrl: approvals.url, run: Buffer.from(systemEntropy.bytes(8)).toString("hex") },
  });
  return {
    routes: channels.routes,
    async follow(signal) {
      const told = channels.notifiers.size > 0 ? [notices.follow(signal)] : [];
      await Promise.all([...told, ...channels.following.map((each) => each(signal))]);
    },
    async metrics() {
      const { contentType, text } = await telemetry.metrics();
      const headers = { "content-type": contentType, "cache-control": "no-store" };
      return { status: 200, headers, body: Buffer.from(text) };
    },
    telemetry,
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
