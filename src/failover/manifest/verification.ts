/**
 * How a component is shown to be intact. `{site}`, `{nonce}` and the variables of the site are replaced in every text.
 * Times are bounded by the component's `latency_ms_max`.
 */
import type { JsonValue } from "../../kernel/index.ts";

/** A secret of the guard: never in the manifest itself. */
export type SecretSource = { readonly env: string } | { readonly file: string };

/**
 * `echo`: the answer must name the site and the nonce that it was asked with, so that an old primary behind a shared
 * address cannot answer for the new one. `address`: the address belongs to one site only; weaker, and reported as such.
 */
export type Binding = "echo" | "address";

export type Verification =
  | HttpVerification
  | GrpcHealthVerification
  | TcpVerification
  | TlsVerification
  | PostgresVerification
  | AuditCanary
  | CdcCanary
  | NegativeCanary
  | KillSwitchCanary
  | FilesVerification
  | DnsVerification
  | SignatureVerification
  | SecretVersion
  | ClockVerification
  | EscalationEcho
  | ExecVerification
  | KubernetesVerification
  | ParityVerification;

export type VerificationKind = Verification["kind"];

export interface HttpVerification {
  readonly kind: "http";
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string | SecretSource>>;
  readonly body?: JsonValue;
  /** Sent as `holdfast-nonce`; bound by the members `site` and `nonce` of a JSON answer, or the headers `holdfast-site` and `holdfast-nonce`. */
  readonly binding: Binding;
  readonly expect: {
    readonly status?: readonly number[];
    /** JSON pointer (RFC 6901) to the value that must be there. */
    readonly json?: Readonly<Record<string, JsonValue>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body_digest?: string;
  };
  /** JSON pointer to the digest of its configuration, when it reports one. */
  readonly config_digest_at?: string;
}

/** `grpc.health.v1.Health/Check` says SERVING. */
export interface GrpcHealthVerification {
  readonly kind: "grpc_health";
  readonly address: string;
  readonly service?: string;
  readonly tls?: { readonly ca_file?: string; readonly server_name?: string };
}

export interface TcpVerification {
  readonly kind: "tcp";
  readonly address: string;
}

/** Chain, name, expiry, and the key itself where pinned. */
export interface TlsVerification {
  readonly kind: "tls";
  readonly address: string;
  readonly server_name: string;
  readonly ca_file?: string;
  readonly days_left_min: number;
  /** `sha256:<hex>` of the SubjectPublicKeyInfo. */
  readonly pin?: string;
}

export interface PostgresVerification {
  readonly kind: "postgres";
  readonly connection: SecretSource;
  readonly check:
    | {
        readonly query: string;
        /** The first column of the first row, as text. */
        readonly equals?: string;
        readonly at_least?: number;
      }
    /** A logical slot that survives the next failover: permanent, valid, and where the server knows them synced and not temporary. */
    | { readonly slot: string; readonly lag_bytes_max?: number }
    /** At least so many standbys confirm before a commit is acknowledged. */
    | { readonly synchronous_min: number }
    /** `primary`: takes writes, on a timeline of at least `timeline_min`. */
    | { readonly role: "primary" | "standby"; readonly timeline_min?: number };
}

/** A nonce goes through the real pipeline and is read back from the designated repository; the chain is verified there. */
export interface AuditCanary {
  readonly kind: "audit_canary";
  /** The gateway: it is asked for a decision (AuthZEN), and records that in its own log as it records every decision. */
  readonly gateway_url: string;
  /** Of the canary's own agent, which may ask about itself only. */
  readonly token: SecretSource;
  readonly agent: string;
  /** `server:tool` that is asked about; nothing is called, and the answer may be a deny. */
  readonly tool: string;
  /** Where its log is kept for good: a folder or an address with the files of the log. */
  readonly repository: string;
  /** Verifier key of that log. */
  readonly log_key: string;
}

/** A nonce goes through logical decoding (`pg_logical_emit_message`, or a row) to what its consumer has written down. */
export interface CdcCanary {
  readonly kind: "cdc_canary";
  readonly connection: SecretSource;
  /** Where the consumer writes: a file of lines, or a query on the warehouse with `$1` for the nonce that answers a count. */
  readonly warehouse:
    | { readonly file: string }
    | { readonly connection: SecretSource; readonly query: string };
}

/** An action that must be denied is denied: really asked (AuthZEN, so nothing would be done), by an identity that exists for this. */
export interface NegativeCanary {
  readonly kind: "negative_canary";
  readonly gateway_url: string;
  readonly token: SecretSource;
  /** The agent that the token proves. */
  readonly agent: string;
  /** `server:tool` */
  readonly tool: string;
  readonly args: Readonly<Record<string, JsonValue>>;
  /** The rule that must have said no, where it matters which. */
  readonly rule?: string;
}

/** A switch thrown for the canary's own agent is in force, and lifted again. */
export interface KillSwitchCanary {
  readonly kind: "kill_switch_canary";
  readonly gateway_url: string;
  readonly admin_url: string;
  readonly token: SecretSource;
  readonly admin_token: SecretSource;
  readonly agent: string;
  /** A tool that the agent may use, to see that it is refused as paused. */
  readonly tool: string;
  readonly args: Readonly<Record<string, JsonValue>>;
}

/** The digest of a file, or of all files of a folder, by path. */
export interface FilesVerification {
  readonly kind: "files";
  readonly path: string;
  readonly digest: string;
}

/** What the world resolves: every answer is among `allowed`, and there is one. */
export interface DnsVerification {
  readonly kind: "dns";
  /** `address:port` of the servers that are asked, each. */
  readonly servers: readonly string[];
  readonly name: string;
  readonly type: "A" | "AAAA" | "CNAME" | "TXT";
  readonly allowed: readonly string[];
}

/** A key that signs (a KMS behind HTTP): the nonce is signed there and verified with the published key. */
export interface SignatureVerification {
  readonly kind: "signature";
  readonly jwks_url: string;
  /** Answers a compact JWS over the nonce. */
  readonly sign_url: string;
  readonly token?: SecretSource;
}

/** A secret is there in the version that is expected; the secret itself is not asked for. */
export interface SecretVersion {
  readonly kind: "secret_version";
  /** Answers JSON (`{metadata_url}` of a secret store). */
  readonly url: string;
  readonly token?: SecretSource;
  /** JSON pointer to the version. */
  readonly version_at: string;
  readonly version: string | number;
}

/** The wall clock of the site against a reference (NTP, RFC 5905). */
export interface ClockVerification {
  readonly kind: "clock";
  readonly ntp_server: string;
  readonly skew_ms_max: number;
}

/** A message to the people's channel comes back: sent, and acknowledged with its nonce. */
export interface EscalationEcho {
  readonly kind: "escalation_echo";
  readonly url: string;
  readonly token?: SecretSource;
}

/** Exit 0 is PASS, 1 is FAIL, all else INCONCLUSIVE. It finds HOLDFAST_SITE and HOLDFAST_NONCE in its environment. */
export interface ExecVerification {
  readonly kind: "exec";
  readonly command: readonly [string, ...string[]];
  /** Must stand on standard output as the last line: `<site> <nonce>`. */
  readonly binding: Binding;
}

export interface KubernetesVerification {
  readonly kind: "kubernetes";
  readonly api_url: string;
  readonly token?: SecretSource;
  readonly ca_file?: string;
  /** `/apis/apps/v1/namespaces/agents/deployments/gateway` */
  readonly object: string;
  /** A condition that must be True. */
  readonly condition?: string;
  /** Image digests that its containers must run. */
  readonly images?: readonly string[];
}

/** This site has what the primary has: manifest, bundle, configuration, each by digest (AG-403 4.8). */
export interface ParityVerification {
  readonly kind: "parity";
  /** `/parity` of the other guard. */
  readonly url: string;
}
