/**
 * The fail-open traps that are known: what each lets through, and what closes it. Those marked "measured" were seen on real
 * servers (HAProxy 2.6, Patroni 3.0, PowerDNS 4.7, PostgreSQL 15); the others are in the manuals of the programs.
 */
import { type Diagnostic, diagnosticAt, type Position } from "../../policy/index.ts";

export interface Trap {
  readonly severity: "error" | "warning";
  /** What it lets through. */
  readonly why: string;
  readonly fix: string;
}

const trap = (severity: Trap["severity"], why: string, fix: string): Trap => ({
  severity,
  why,
  fix,
});

const gateSequence =
  "option httpchk; http-check connect port <gate>; http-check send meth GET uri /gate/<site>; http-check expect status 200; then the check of the server itself";

export const trapNames = [
  "haproxy-starts-up",
  "haproxy-no-check",
  "haproxy-agent-alone",
  "haproxy-gate-not-asked",
  "haproxy-gate-any-answer",
  "haproxy-patroni-primary",
  "haproxy-sessions-stay",
  "haproxy-backup",
  "haproxy-backup-unchecked",
  "haproxy-allbackups",
  "haproxy-persist",
  "haproxy-state-file",
  "haproxy-disable-on-404",
  "agent-answer-space",
  "patroni-no-slot",
  "patroni-slot-incomplete",
  "patroni-asynchronous",
  "patroni-not-strict",
  "patroni-no-pre-promote",
  "patroni-pre-promote-ignored",
  "patroni-timing",
  "patroni-ttl-short",
  "patroni-budget",
  "patroni-failsafe",
  "patroni-no-watchdog",
  "envoy-failure-allowed",
  "envoy-no-ext-authz",
  "envoy-ext-authz-off",
  "envoy-panic",
  "envoy-no-health-check",
  "envoy-gate-not-asked",
  "powerdns-no-sink",
  "powerdns-gate-not-asked",
  "powerdns-unchecked",
  "powerdns-first-answer",
  "powerdns-update-open",
  "nginx-no-auth-request",
  "nginx-gate-not-asked",
  "nginx-satisfy-any",
  "nginx-error-page",
  "nginx-verdict-cached",
  "nginx-next-upstream",
  "nginx-next-upstream-write",
  "nginx-backup",
] as const;

export type TrapName = (typeof trapNames)[number];

export const traps: Readonly<Record<TrapName, Trap>> = {
  "haproxy-starts-up": trap(
    "error",
    "the server is up before its first check, so a start with the gate closed or dead lets traffic through (measured)",
    "add disabled, and an agent-check that answers ready up only while the gate is open; newer versions also know init-state fully-down (2.6 does not)",
  ),
  "haproxy-no-check": trap(
    "error",
    "the server is never checked, so it is always up",
    `add check and ${gateSequence}`,
  ),
  "haproxy-agent-alone": trap(
    "error",
    "an agent that cannot be reached is no verdict: with the gate dead, traffic flows (measured)",
    `add check and ${gateSequence}`,
  ),
  "haproxy-gate-not-asked": trap(
    "error",
    "the health check does not ask the gate, so a site that is blocked but well gets traffic",
    gateSequence,
  ),
  "haproxy-gate-any-answer": trap(
    "error",
    "without http-check expect right after it, any answer below 400 counts as an open gate",
    "http-check expect status 200 after the step that asks the gate",
  ),
  "haproxy-patroni-primary": trap(
    "warning",
    "Patroni answers 200 as primary while pre_promote still waits and the node is in recovery (measured for 33 s)",
    "ask the gate in the same sequence, before Patroni",
  ),
  "haproxy-sessions-stay": trap(
    "error",
    "sessions that are open stay open when the gate closes",
    "add on-marked-down shutdown-sessions to server or default-server",
  ),
  "haproxy-backup": trap(
    "warning",
    "a backup server takes over by itself when the others are down, whatever its jurisdiction",
    "order the targets in the manifest; keep one site in a backend, or have the gate of the backup asked too",
  ),
  "haproxy-backup-unchecked": trap(
    "error",
    "the backup server is not checked: it gets all traffic when the others are closed",
    `add check and ${gateSequence}`,
  ),
  "haproxy-allbackups": trap(
    "error",
    "option allbackups sends traffic to every backup at once when no server is left",
    "remove option allbackups",
  ),
  "haproxy-persist": trap(
    "error",
    "persistence keeps sending traffic to a server that is down",
    "remove option persist and force-persist",
  ),
  "haproxy-state-file": trap(
    "warning",
    "after a restart servers have the state of the file, which may be older than the gate's last word",
    "remove load-server-state-from-file for gated backends",
  ),
  "haproxy-disable-on-404": trap(
    "error",
    "a 404 of the gate drains the server instead of closing it: open sessions and persistence go on",
    "remove http-check disable-on-404",
  ),
  "agent-answer-space": trap(
    "error",
    "HAProxy ignores an agent's answer without a space before #: the old state stays, traffic flows (measured)",
    "write a space before #: maint down #reason",
  ),
  "patroni-no-slot": trap(
    "error",
    "no logical slot is permanent, so a promotion loses what its consumer has not read (measured: 362 of 448 audit rows)",
    "slots: { audit: { type: logical, database: <db>, plugin: <plugin> } } in the shared configuration",
  ),
  "patroni-slot-incomplete": trap(
    "error",
    "a permanent logical slot without database and plugin is not created",
    "give database and plugin",
  ),
  "patroni-asynchronous": trap(
    "error",
    "an isolated primary goes on to acknowledge writes that are lost (measured: 84 of 85)",
    "synchronous_mode: true",
  ),
  "patroni-not-strict": trap(
    "warning",
    "without a synchronous standby, Patroni goes on asynchronously",
    "synchronous_mode_strict: true, where writes may wait",
  ),
  "patroni-no-pre-promote": trap(
    "error",
    "nothing asks the gate before a promotion",
    "postgresql.pre_promote: holdfast failover await --site <site> --budget <seconds below ttl>",
  ),
  "patroni-pre-promote-ignored": trap(
    "error",
    "the exit code of pre_promote is thrown away, so it blocks nothing",
    "remove || true, exit 0 and the like: any exit code but 0 keeps the node from being promoted",
  ),
  "patroni-timing": trap(
    "error",
    "loop_wait + 2 * retry_timeout is over ttl: a primary that is well can lose its lock, or keep it too long",
    "keep loop_wait + 2 * retry_timeout at or below ttl",
  ),
  "patroni-ttl-short": trap(
    "error",
    "Patroni takes no ttl below 20 s and uses another one",
    "ttl: 20 or more",
  ),
  "patroni-budget": trap(
    "error",
    "pre_promote waits as long as the lock lives, so no other candidate gets a turn",
    "a --budget below ttl",
  ),
  "patroni-failsafe": trap(
    "warning",
    "with failsafe_mode the primary stays one while the arbiter cannot be reached",
    "failsafe_mode: false, or accept that only the permit of the gateway stops it",
  ),
  "patroni-no-watchdog": trap(
    "warning",
    "a primary whose Patroni hangs stays writable",
    "watchdog: { mode: required }",
  ),
  "envoy-failure-allowed": trap(
    "error",
    "failure_mode_allow lets requests through when the gate does not answer",
    "failure_mode_allow: false",
  ),
  "envoy-no-ext-authz": trap(
    "error",
    "requests of this listener pass without asking anybody",
    "add envoy.filters.http.ext_authz before the router",
  ),
  "envoy-ext-authz-off": trap(
    "error",
    "this route or this share of requests passes without being asked about",
    "remove disabled; keep filter_enabled at 100, or set deny_at_disable: true",
  ),
  "envoy-panic": trap(
    "error",
    "when too few hosts are healthy, Envoy sends traffic to all of them (default: below 50 %)",
    "common_lb_config: { healthy_panic_threshold: { value: 0 } }",
  ),
  "envoy-no-health-check": trap(
    "error",
    "hosts of this cluster are healthy by assumption",
    "health_checks that ask /gate/<site> and expect 200",
  ),
  "envoy-gate-not-asked": trap(
    "error",
    "the health check does not ask the gate, so a site that is blocked but well gets traffic",
    "health_checks: [{ http_health_check: { path: /gate/<site> } }]",
  ),
  "powerdns-no-sink": trap(
    "error",
    "when every address is down, PowerDNS answers with any of them (backupSelector all; measured: 18 of 40 answers left the jurisdiction)",
    "a last group with a sink address, named by holdfast.dev/sink: <address>; newer versions also know backupSelector='empty' (4.7 does not)",
  ),
  "powerdns-gate-not-asked": trap(
    "error",
    "the address is chosen by what is up, not by what may act",
    "ifurlextup with the address of each site's /gate/<site>",
  ),
  "powerdns-unchecked": trap(
    "error",
    "this function answers whatever the state of the sites is",
    "ifurlextup with the gates, or a plain record that the guard writes (RFC 2136)",
  ),
  "powerdns-first-answer": trap(
    "warning",
    "the first answer after a restart is given before the first check (measured)",
    "let the guard write plain records after its verdict (RFC 2136 with TSIG) instead of deciding in DNS",
  ),
  "powerdns-update-open": trap(
    "error",
    "anybody in this range may change where traffic goes",
    "allow-dnsupdate-from only the guard, and require TSIG (TSIG-ALLOW-DNSUPDATE)",
  ),
  "nginx-no-auth-request": trap(
    "error",
    "requests go to the upstream without asking anybody",
    "auth_request /_gate; with a location /_gate { internal; proxy_pass http://<guard>/gate/<site>; }",
  ),
  "nginx-gate-not-asked": trap(
    "warning",
    "auth_request asks something else than the gate",
    "let the location of auth_request pass to /gate/<site> of the guard",
  ),
  "nginx-satisfy-any": trap(
    "error",
    "satisfy any lets an address that is allowed pass without the gate",
    "satisfy all",
  ),
  "nginx-error-page": trap(
    "error",
    "a refusal, or a gate that does not answer, is turned into a request that passes",
    "remove error_page for 401, 403 and 5xx here, or send it to a page that has no upstream",
  ),
  "nginx-verdict-cached": trap(
    "error",
    "a cached answer of the gate outlives the verdict",
    "proxy_cache off in the location of auth_request",
  ),
  "nginx-next-upstream": trap(
    "warning",
    "a request that failed is sent to the next server, which may be another site",
    "proxy_next_upstream off, or one site in an upstream",
  ),
  "nginx-next-upstream-write": trap(
    "error",
    "a write that may have happened, or was refused, is sent again elsewhere",
    "remove non_idempotent, http_403 and http_5xx from proxy_next_upstream",
  ),
  "nginx-backup": trap(
    "error",
    "a backup server takes over by itself, and nginx does not ask its gate first",
    "one site in an upstream; the guard moves traffic",
  ),
};

/** A finding: the trap, where it stands, and what it is about. */
export function found(
  file: string,
  at: Position,
  name: TrapName,
  about: string,
  fix?: string,
): Diagnostic {
  const { severity, why, fix: usual } = traps[name];
  const mild = severity === "warning" ? ({ severity } as const) : {};
  const place = { line: at.line, column: at.column };
  return diagnosticAt(file, place, {
    ...mild,
    code: name,
    message: `${about}: ${why}`,
    hint: fix ?? usual,
  });
}
