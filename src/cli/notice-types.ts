/** `approvals:` as far as it says who is told, where and when. Field names are those of `holdfast.yaml`. */
import type { Secret } from "./secret.ts";

type Risk = "low" | "high" | "critical";

export interface NoticesConfig {
  readonly slack?: SlackConfig;
  readonly email?: { readonly smtp: Secret; readonly from: string };
  readonly channels: Readonly<Record<string, ChannelConfig>>;
  readonly routes: readonly NoticeRouteConfig[];
  readonly on_call: Readonly<Record<string, RotationConfig>>;
  readonly floods: {
    readonly per_agent_max: number;
    readonly total_max: number;
    readonly decline: boolean;
  };
}

/** `signing_secret` or `app_token`, or both. */
export interface SlackConfig {
  readonly bot_token: Secret;
  readonly signing_secret?: Secret;
  readonly app_token?: Secret;
  readonly team?: string;
  readonly api_url: string;
}

/** Exactly one of the four kinds. */
export interface ChannelConfig {
  readonly slack?: string;
  readonly teams?: { readonly url: Secret; readonly outgoing_webhook_token?: Secret };
  readonly webhook?: WebhookConfig;
  readonly email?: { readonly to?: readonly string[] };
  readonly quiet_hours?: {
    readonly from: string;
    readonly to: string;
    readonly time_zone: string;
    readonly except: readonly Risk[];
  };
  readonly digest_seconds?: number;
}

export interface WebhookConfig {
  readonly url: string;
  readonly secret: Secret;
  readonly decision_secret?: Secret;
  readonly decides_for?: readonly string[];
}

/** `escalate_after_seconds` and `escalate_to` only together. */
export interface NoticeRouteConfig {
  readonly groups?: readonly string[];
  readonly tenants?: readonly string[];
  readonly risks?: readonly Risk[];
  readonly tools?: readonly string[];
  readonly agents?: readonly string[];
  readonly channels: readonly string[];
  readonly on_call?: string;
  readonly remind_every_seconds?: number;
  readonly reminders_max: number;
  readonly escalate_after_seconds?: number;
  readonly escalate_to?: readonly string[];
}

export interface RotationConfig {
  readonly approvers: readonly string[];
  readonly starts: string;
  readonly shift_hours: number;
  readonly overrides: readonly {
    readonly from: string;
    readonly to: string;
    readonly approver: string;
  }[];
}
