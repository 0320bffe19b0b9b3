/** Each known fail-open trap is named, with its line and its way out; a configuration that stays closed has none. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  type LintedKind,
  lintConfig,
  lintedKindOf,
  trapNames,
  traps,
} from "../../../src/adapters/config-lint/index.ts";
import { integrationText } from "../../../src/cli/failover/integration.ts";
import { manifestReader } from "../../../src/cli/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";
import * as closed from "../../fixtures/proxy-configs.ts";
import { sampleManifest } from "../../fixtures/sample-manifest.ts";

const texts: Readonly<Record<Exclude<LintedKind, "agent">, string>> = {
  haproxy: closed.closedHaproxy,
  patroni: closed.closedPatroni,
  envoy: closed.closedEnvoy,
  powerdns: closed.closedPowerdns,
  nginx: closed.closedNginx,
};

test.each(Object.entries(texts))(
  "%s: what stays closed has no trap, and is known by its text",
  (kind, text) => {
    expect(lintedKindOf("file", text)).toBe(kind);
    const left = lintConfig("file", text, kind as LintedKind).filter(
      ({ code }) => code !== "powerdns-first-answer",
    );
    expect(left).toEqual([]);
  },
);

/** The trap, its kind, the change that opens it, and a text on the line where it is named. */
const changes: readonly (readonly [string, keyof typeof texts, string | RegExp, string, string])[] =
  [
    ["haproxy-starts-up", "haproxy", " disabled", "", "server fra"],
    [
      "haproxy-starts-up",
      "haproxy",
      "192.0.2.10:7080 check",
      "192.0.2.10:7080 check enabled",
      "server fra",
    ],
    ["haproxy-agent-alone", "haproxy", "192.0.2.10:7080 check", "192.0.2.10:7080", "server fra"],
    [
      "haproxy-no-check",
      "haproxy",
      /agent-check agent-port 7091 disabled|(?<=7080) check/g,
      "",
      "server fra",
    ],
    ["haproxy-no-check", "haproxy", "# holdfast.dev/class: none\n", "", "server static"],
    ["haproxy-gate-not-asked", "haproxy", "/gate/fra", "/healthz", "backend gateways"],
    [
      "haproxy-gate-any-answer",
      "haproxy",
      "    http-check expect status 200\n",
      "",
      "uri /gate/fra",
    ],
    ["haproxy-patroni-primary", "haproxy", "/gate/fra", "/primary", "uri /primary"],
    ["haproxy-sessions-stay", "haproxy", " on-marked-down shutdown-sessions", "", "server fra"],
    ["haproxy-backup", "haproxy", '" check', '" check backup', "server dub"],
    ["haproxy-backup-unchecked", "haproxy", '" check', '" backup', "server dub"],
    [
      "haproxy-allbackups",
      "haproxy",
      "    option httpchk",
      "    option allbackups\n    option httpchk",
      "allbackups",
    ],
    ["haproxy-persist", "haproxy", "mode http", "option persist", "option persist"],
    [
      "haproxy-state-file",
      "haproxy",
      "mode http",
      "load-server-state-from-file global",
      "load-server",
    ],
    [
      "haproxy-disable-on-404",
      "haproxy",
      "    option httpchk",
      "    http-check disable-on-404\n    option httpchk",
      "disable-on-404",
    ],
    [
      "patroni-no-slot",
      "patroni",
      /slots:\n.*\n/,
      "slots: { replica: { type: physical } }\n",
      "slots",
    ],
    ["patroni-no-slot", "patroni", /slots:\n.*\n/, "", "ttl: 30"],
    ["patroni-slot-incomplete", "patroni", ", plugin: wal2json", "", "audit_cdc"],
    [
      "patroni-asynchronous",
      "patroni",
      "synchronous_mode: true",
      "synchronous_mode: false",
      "synchronous_mode",
    ],
    [
      "patroni-not-strict",
      "patroni",
      "    synchronous_mode_strict: true\n",
      "",
      "synchronous_mode",
    ],
    ["patroni-no-pre-promote", "patroni", / {2}pre_promote: .*/, "  data_dir: /d", "postgresql:"],
    ["patroni-pre-promote-ignored", "patroni", "--budget 12", "--budget 12 || true", "pre_promote"],
    ["patroni-timing", "patroni", "retry_timeout: 10", "retry_timeout: 11", "ttl"],
    ["patroni-ttl-short", "patroni", "ttl: 30", "ttl: 19", "ttl"],
    ["patroni-budget", "patroni", "--budget 12", "--budget 30", "pre_promote"],
    [
      "patroni-failsafe",
      "patroni",
      "    ttl: 30",
      "    failsafe_mode: true\n    ttl: 30",
      "failsafe",
    ],
    ["patroni-no-watchdog", "patroni", "mode: required", "mode: off", "watchdog"],
    [
      "envoy-failure-allowed",
      "envoy",
      "failure_mode_allow: false",
      "failure_mode_allow: true",
      "failure_mode_allow",
    ],
    ["envoy-no-ext-authz", "envoy", /ext_authz/g, "cors", "http_filters"],
    [
      "envoy-ext-authz-off",
      "envoy",
      "failure_mode_allow: false",
      "filter_enabled: { default_value: { numerator: 50 } }",
      "filter_enabled",
    ],
    ["envoy-panic", "envoy", / {6}common_lb_config.*\n/, "", "name: gateways"],
    ["envoy-panic", "envoy", "value: 0", "value: 50", "name: gateways"],
    ["envoy-no-health-check", "envoy", / {6}health_checks:\n.*\n/, "", "name: gateways"],
    ["envoy-gate-not-asked", "envoy", "/gate/fra", "/healthz", "name: gateways"],
    ["powerdns-no-sink", "powerdns", "; holdfast.dev/sink: 192.0.2.254\n", "", "ifurlextup"],
    ["powerdns-no-sink", "powerdns", "['192.0.2.254']", "['192.0.2.20']", "ifurlextup"],
    ["powerdns-gate-not-asked", "powerdns", /\/gate\/\w+/g, "/healthz", "ifurlextup"],
    ["powerdns-first-answer", "powerdns", "5 IN", "6 IN", "ifurlextup"],
    [
      "powerdns-unchecked",
      "powerdns",
      /ifurlextup\([\s\S]*?\}\)/,
      "pickrandom({'192.0.2.10'})",
      "pickrandom",
    ],
    [
      "powerdns-update-open",
      "powerdns",
      "$ORIGIN",
      "allow-dnsupdate-from=0.0.0.0/0\n$ORIGIN",
      "allow-dnsupdate",
    ],
    ["nginx-no-auth-request", "nginx", "      auth_request /_gate;\n", "", "http://gateway"],
    ["nginx-no-auth-request", "nginx", "auth_request /_gate", "auth_request off", "http://gateway"],
    ["nginx-gate-not-asked", "nginx", "/gate/fra", "/healthz", "7090/healthz"],
    ["nginx-satisfy-any", "nginx", "listen 443 ssl;", "satisfy any;", "satisfy any"],
    [
      "nginx-error-page",
      "nginx",
      "auth_request /_gate;",
      "auth_request /_gate; error_page 500 =200 /ok;",
      "error_page",
    ],
    [
      "nginx-error-page",
      "nginx",
      "listen 443 ssl;",
      "error_page 403 @open; location @open { proxy_pass http://gateway; }",
      "error_page",
    ],
    ["nginx-verdict-cached", "nginx", "internal;", "proxy_cache verdicts;", "proxy_cache"],
    [
      "nginx-next-upstream",
      "nginx",
      /server 192.0.2.10:7080;(.*)([\s\S]*)proxy_next_upstream off;/,
      "server 192.0.2.10:7080; server 192.0.2.20:7080;$1$2",
      "upstream gateway",
    ],
    [
      "nginx-next-upstream-write",
      "nginx",
      "proxy_next_upstream off",
      "proxy_next_upstream error non_idempotent",
      "proxy_next_upstream",
    ],
    [
      "nginx-backup",
      "nginx",
      "server 192.0.2.10:7080;",
      "server 192.0.2.10:7080; server 192.0.2.20:7080 backup;",
      "upstream gateway",
    ],
  ];

test.each(changes)("%s is named in %s", (name, kind, from, to, on) => {
  const text = texts[kind].replace(from, to);
  expect(text).not.toBe(texts[kind]);
  const found = lintConfig("file", text, kind).find(({ code }) => code === name);
  expect(found, name).toMatchObject({ file: "file", code: name });
  expect(text.split("\n")[(found?.line ?? 0) - 1]).toContain(on);
  expect(found?.hint).toBe(traps[name as (typeof trapNames)[number]].fix);
});

test("the answer of an agent without a space before # is named", () => {
  const script = '#!/bin/sh\necho "maint down #blocked"\necho "down#blocked"\n';
  expect(lintedKindOf("agent.sh", script)).toBe("agent");
  const found = lintConfig("agent.sh", script, "agent");
  expect(found).toMatchObject([{ code: "agent-answer-space", line: 3, column: 6 }]);
});

test("every trap has a test that opens it", () => {
  const tried = new Set<string>(["agent-answer-space", ...changes.map(([name]) => name)]);
  expect(trapNames.filter((name) => !tried.has(name))).toEqual([]);
});

test("a trap that people allow, with a reason, is a warning that carries it; without a reason it stays", () => {
  const open = closed.closedPatroni.replace(
    "    synchronous_mode: true",
    "    # ALLOW\n    synchronous_mode: false",
  );
  const severities = (comment: string): readonly string[] =>
    lintConfig("file", open.replace("ALLOW", comment), "patroni").map(
      ({ severity, message }) => `${severity} ${message}`,
    );
  expect(severities("holdfast:allow patroni-asynchronous no money moves here")).toEqual([
    expect.stringMatching(/^warning .*allowed: no money moves here/),
  ]);
  expect(severities("holdfast:allow patroni-asynchronous")[0]).toMatch(/^error/);
  expect(severities("holdfast:allow patroni-no-slot other")[0]).toMatch(/^error/);
});

test("what is no such configuration is none", () => {
  expect(lintedKindOf("x.txt", "hello\n")).toBeUndefined();
  expect(lintedKindOf("x.yaml", "a: 1\n")).toBeUndefined();
});

test("the configurations that vendors document fall into their traps", () => {
  const of = (file: string): readonly string[] => {
    const text = readFileSync(`tools/demo-failover/stock/${file}`, "utf8");
    const kind = lintedKindOf(file, text);
    return kind === undefined ? [] : lintConfig(file, text, kind).map(({ code }) => code);
  };
  expect(of("haproxy.cfg")).toEqual(
    expect.arrayContaining(["haproxy-gate-not-asked", "haproxy-starts-up"]),
  );
  expect(of("patroni-dcs.yaml")).toEqual(["patroni-no-slot", "patroni-asynchronous"]);
  expect(of("powerdns.zone")).toContain("powerdns-no-sink");
});

test("what holdfast failover config prints has no trap", async () => {
  const variables = [
    ...['gate: "127.0.0.1:7090"', 'agent_check: "127.0.0.1:7091"', 'gateway: "127.0.0.1:7080"'],
    ...['postgres: "127.0.0.1:5432"', 'patroni: "127.0.0.1:8008"'],
  ].join(", ");
  const text = sampleManifest
    .replaceAll(/variables: \{.*\}/g, `variables: { ${variables} }`)
    .replace("check: { synchronous_min: 1 }", "check: { slot: audit_cdc }");
  const now = "2026-11-25T12:00:00Z";
  const { manifest, diagnostics } = (await manifestReader()).read("m.yaml", text, now);
  if (manifest === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  for (const kind of ["haproxy", "envoy", "nginx"] as const) {
    const printed = integrationText(kind, manifest, { site: "fra" }, now);
    if (!printed.ok) throw new Error(printed.error);
    expect(lintedKindOf("file", printed.value)).toBe(kind);
    expect(lintConfig("file", printed.value, kind), kind).toEqual([]);
  }
});

test("a part of a node's file is looked at for what it holds", () => {
  const hooks = "postgresql: { pre_promote: holdfast failover await --budget 12 || true }\n";
  expect(lintedKindOf("hooks.yml", hooks)).toBe("patroni");
  expect(lintConfig("hooks.yml", hooks, "patroni")).toMatchObject([
    { code: "patroni-pre-promote-ignored" },
  ]);
});

test("a server that follows the checks of another one is checked", () => {
  const following = closed.closedHaproxy.replace('" check', '" track gateways/fra');
  const codes = lintConfig("file", following, "haproxy").map(({ code }) => code);
  expect(codes).not.toContain("haproxy-no-check");
  expect(codes).not.toContain("haproxy-agent-alone");
});
