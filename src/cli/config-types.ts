/**
 * The configuration, complete: every default filled in, paths absolute, secrets read. Field names are those of
 * `holdfast.yaml`; `schemas/config.schema.json` says what each means.
 */
import type { JsonObject } from "../kernel/index.ts";
import type { RememberedKind } from "../model/index.ts";
import type { NoticesConfig } from "./notice-types.ts";
import type { Secret } from "./secret.ts";

export interface Config {
  readonly listen: string;
  readonly public_url: string;
  /** With the loopback names and that of `public_url`; without ports, IPv6 in brackets. */
  readonly allowed_hosts: readonly string[];
  readonly allowed_origins: readonly string[];
  readonly control: { readonly listen: string; readonly token?: Secret };
  readonly data: string;
  /** Exactly one of the two. */
  readonly store: { readonly sqlite?: string; readonly postgres?: Secret };
  readonly instance: string;
  /** Exactly one of the two: a folder that this site publishes, or a bundle that comes from elsewhere. */
  readonly policies?: string;
  readonly bundle?: BundleConfig;
  readonly site: string;
  readonly tenant: string;
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  readonly identity: IdentityConfig;
  readonly development_tokens: readonly DevelopmentTokenConfig[];
  readonly directory: {
    readonly subjects: readonly KnownEntityConfig[];
    readonly resources: readonly KnownEntityConfig[];
  };
  readonly authzen: { readonly enforcement_points: readonly EnforcementPointConfig[] };
  readonly approvals: ApprovalsConfig;
  readonly limits: LimitsConfig;
  /** Absent: the deployment runs `standalone`, without a manifest. */
  readonly failover?: FailoverConfig;
  readonly model: ModelConfig;
  readonly telemetry: TelemetryConfig;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
}

export interface BundleConfig {
  readonly url: string;
  readonly public_keys: readonly string[];
  readonly token?: Secret;
  /** Where the token was read, when it is a file: it may be replaced at any time. */
  readonly token_file?: string;
  readonly poll_seconds_min: number;
  readonly poll_seconds_max: number;
  readonly long_poll_seconds: number;
  readonly stale_after_seconds: number;
}

/** Exactly one of `mcp` and `http`. */
export type UpstreamConfig = UpstreamCare &
  (
    | { readonly mcp: McpUpstreamConfig; readonly http?: never }
    | { readonly http: HttpUpstreamConfig; readonly mcp?: never }
  );

/** How it is treated when it is slow or fails. */
interface UpstreamCare {
  readonly calls_in_flight_max: number;
  readonly queue: { readonly calls_max: number; readonly wait_ms: number };
  readonly call_timeout_ms?: number;
  readonly breaker: {
    readonly failures_in_row: number;
    readonly failure_ratio: number;
    readonly calls_min: number;
    readonly window_seconds: number;
    readonly open_ms: number;
    readonly open_ms_max: number;
    readonly probes_max: number;
    readonly writes: "refuse" | "escrow";
  };
  readonly retries: {
    readonly attempts_max: number;
    readonly backoff_ms: number;
    readonly backoff_ms_max: number;
  };
  readonly idempotency: "ignored" | "honoured";
  /** By tool, as the upstream names it. */
  readonly dry_run: Readonly<Record<string, DryRunConfig>>;
}

interface DryRunConfig {
  /** `args.query.dry_run` */
  readonly set: string;
  readonly to: string | number | boolean;
}

interface McpCommon {
  readonly headers: Readonly<Record<string, Secret>>;
  readonly env: Readonly<Record<string, Secret>>;
  readonly auth?: UpstreamAuthConfig;
  readonly trusted: boolean;
}

/** A program, or an address. */
export type McpUpstreamConfig = McpCommon &
  (
    | {
        readonly command: readonly [string, ...string[]];
        readonly cwd: string;
        readonly url?: never;
      }
    | { readonly url: string; readonly command?: never; readonly cwd?: never }
  );

/** OAuth towards an upstream; the gateway is the client. */
export interface UpstreamAuthConfig {
  readonly flow: "client_credentials" | "authorization_code";
  readonly issuer?: string;
  readonly client_id?: string;
  readonly client_secret?: Secret;
  readonly client_metadata_url?: string;
  readonly scopes: readonly string[];
  readonly authorize: "manual" | "automatic";
}

export interface HttpUpstreamConfig {
  readonly base_url: string;
  readonly openapi?: string;
  readonly routes?: readonly HttpRouteConfig[];
  readonly headers: Readonly<Record<string, Secret>>;
  readonly forward_headers: readonly string[];
  readonly opaque_bodies: "digest" | "refuse";
}

export interface HttpRouteConfig {
  readonly method: string;
  readonly path: string;
  readonly effect?: "read" | "write";
  readonly description?: string;
}

export interface IdentityConfig {
  readonly audience: string;
  readonly issuers: readonly IssuerConfig[];
  readonly signed_agents: readonly SignedAgentConfig[];
  readonly signature_seconds_max: number;
}

export interface SignedAgentConfig {
  readonly agent: string;
  readonly jwks_file: string;
  readonly covers: "request" | "authority";
  readonly model?: string;
  readonly tenant: string;
}

/** Exactly one of `jwks_url` and `jwks_file`. */
export interface IssuerConfig {
  readonly issuer: string;
  readonly jwks_url?: string;
  readonly jwks_file?: string;
  readonly algorithms: readonly string[];
  readonly skew_seconds: number;
}

export interface DevelopmentTokenConfig {
  readonly token: Secret;
  readonly agent: string;
  readonly model?: string;
  readonly principal?: string;
  readonly tenant: string;
}

export interface KnownEntityConfig {
  readonly type: string;
  readonly id: string;
  readonly tenant: string;
  readonly properties: JsonObject;
}

export interface EnforcementPointConfig {
  readonly agent: string;
  readonly tenant: string;
  readonly obligations: readonly string[];
}

export interface ApprovalsConfig extends NoticesConfig {
  /** The control process as browsers reach it; the audience of tokens for the admin API. */
  readonly url: string;
  readonly approvers: readonly ApproverConfig[];
  readonly oidc?: ApprovalsOidcConfig;
  readonly hold_seconds: number;
  readonly session_minutes: number;
  /** Whose members may throw and lift the kill switch by the admin API. */
  readonly kill_groups: readonly string[];
}

/** Exactly one of `oidc.subject` and `oidc.email`; with `agent`, nothing that people are known by. */
export interface ApproverConfig {
  readonly id: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly oidc?: { readonly subject?: string; readonly email?: string };
  readonly slack?: string;
  readonly teams?: string;
  readonly email?: string;
  readonly cli_users: readonly string[];
  readonly principals: readonly string[];
  readonly agent?: string;
  readonly token?: Secret;
}

export interface ApprovalsOidcConfig {
  readonly issuer: string;
  readonly client_id: string;
  readonly client_secret?: Secret;
  /** Besides `openid`. */
  readonly scopes: readonly string[];
  readonly api_clients: readonly string[];
}

export interface FailoverConfig {
  /** The signed manifest. */
  readonly manifest: string;
  /** Verifier keys of those who sign manifests, and how many must have. */
  readonly manifest_keys: readonly string[];
  readonly signatures_min: number;
  /** The guard of this site, as its gateways reach it. */
  readonly guard_url: string;
  readonly token: Secret;
  /** For the guard itself. */
  readonly listen: string;
  readonly agent_check?: string;
  readonly grpc_health?: string;
  /** The name that agents find their gateway by, at the primary of its zone. */
  readonly dns?: {
    readonly server: string;
    readonly zone: string;
    readonly name: string;
    readonly key_name: string;
    /** Base64. */
    readonly key: Secret;
    /** Of this site's gateway. */
    readonly addresses: readonly string[];
    /** What answers 503 when no site may act. */
    readonly sinkhole: readonly string[];
    readonly ttl_seconds: number;
  };
  /** The node of this site: a standby that differs from the acting site is taken out of the race. */
  readonly patroni?: { readonly folder: string; readonly api_url: string };
  /** Pods of agents are ready while this site may act. */
  readonly kubernetes?: {
    readonly api_url: string;
    readonly namespace: string;
    readonly token_file?: string;
  };
  /** Exactly one. */
  readonly arbiter?: {
    readonly postgres?: Secret;
    readonly etcd?: string;
    readonly sqlite?: string;
  };
  /** Whose overdue drills people are told of, by channels of `approvals.channels`. */
  readonly drills?: {
    readonly folder: string;
    readonly schedule: string;
    readonly channels: readonly string[];
  };
  /** Another site's lease that ran out is taken without being asked. */
  readonly automatic: boolean;
  /** What must be the same at every site, besides manifest and policy. */
  readonly parity_files: readonly string[];
  readonly synchronise_files: boolean;
}

export interface LimitsConfig {
  readonly body_bytes_max: number;
  readonly depth_max: number;
  readonly headers_max: number;
  readonly header_bytes_max: number;
  readonly path_bytes_max: number;
  readonly parameters_max: number;
  readonly connections_max: number;
  readonly bodies_bytes_max: number;
  readonly requests_open_max: number;
  readonly calls_in_flight_max: number;
  readonly calls_in_flight_per_agent_max: number;
  readonly evaluations_max: number;
  readonly search_results_max: number;
  readonly search_candidates_max: number;
  readonly search_time_ms_max: number;
  readonly request_timeout_ms: number;
  readonly upstream_head_timeout_ms: number;
  readonly upstream_idle_timeout_ms: number;
  readonly answer_hold_bytes_max: number;
  readonly line_bytes_max: number;
  readonly kill_lease_ms: number;
  readonly approval_questions_per_minute_max: number;
  readonly escrow_items_max: number;
  readonly escrow_bytes_max: number;
  readonly escrow_items_per_agent_max: number;
  readonly escrow_bytes_per_agent_max: number;
}

/** The runtime model. */
export interface ModelConfig {
  /** Of those who send telemetry and webhooks; absent: nothing is received. */
  readonly token?: Secret;
  /** A cluster that the control process watches. */
  readonly kubernetes?: WatchedKubernetes;
  /** How long what is over is remembered, unless its kind says otherwise. */
  readonly keep_days?: number;
  readonly kinds: Readonly<Partial<Record<RememberedKind, RememberedKindConfig>>>;
  /** How often the facts that policy sees are made anew, and read by the gateway. */
  readonly facts_every_seconds: number;
  /** When the model was told nothing for so long, its facts count as unknown. */
  readonly facts_fresh_seconds: number;
  /** Before and after an action, what is compared to say what of the traffic felt it. */
  readonly outcome_window_seconds: number;
}

export interface WatchedKubernetes {
  /** What the cluster is called; the name of its context, unless given. */
  readonly name?: string;
  /** Absolute; absent: the service account of the pod. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespaces?: readonly string[];
  readonly kinds?: readonly string[];
}

export interface RememberedKindConfig {
  readonly remember: boolean;
  readonly keep_days?: number;
  readonly readers: readonly string[];
}

export interface TelemetryConfig {
  readonly otlp_endpoint?: string;
  readonly trace_sample_ratio: number;
  readonly service_name: string;
}
