/** `holdfast.yaml`: complete when valid, refused with the place of every fault when not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, expect, test } from "vitest";
import { type Config, loadConfig } from "../../../src/cli/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "holdfast.yaml");

async function load(text: string): Promise<Config> {
  writeFileSync(file, text);
  const loaded = await loadConfig(file, { SECRET: "from-env" });
  if (!loaded.ok) throw new Error(loaded.error.map(formatDiagnostic).join("\n"));
  return loaded.value;
}

/** The diagnostics without the folder, `3:5: error: …`. */
async function problems(text: string): Promise<readonly string[]> {
  writeFileSync(file, text);
  const loaded = await loadConfig(file, {});
  if (loaded.ok) return [];
  return loaded.error.map((one) => formatDiagnostic(one).replace(`${file}:`, ""));
}

const smallest = "upstreams:\n  files:\n    mcp:\n      command: [node, server.js]\n";

/** How an upstream is treated of which nothing is said. */
const care = {
  calls_in_flight_max: 1024,
  queue: { calls_max: 0, wait_ms: 1_000 },
  breaker: {
    failures_in_row: 5,
    failure_ratio: 0.5,
    calls_min: 20,
    window_seconds: 60,
    open_ms: 5_000,
    open_ms_max: 60_000,
    probes_max: 1,
    writes: "refuse",
  },
  retries: { attempts_max: 3, backoff_ms: 100, backoff_ms_max: 2_000 },
  idempotency: "ignored",
  dry_run: {},
};

test("the smallest file is completed with every default", async () => {
  expect(await load(smallest)).toEqual({
    listen: "127.0.0.1:7080",
    public_url: "http://127.0.0.1:7080",
    allowed_hosts: ["localhost", "127.0.0.1", "[::1]"],
    allowed_origins: ["localhost", "127.0.0.1", "[::1]"],
    control: { listen: "127.0.0.1:7081" },
    data: join(folder, ".holdfast"),
    store: { sqlite: join(folder, ".holdfast/store.db") },
    instance: "gateway",
    policies: join(folder, "policies"),
    site: "standalone",
    tenant: "default",
    upstreams: {
      files: {
        mcp: { command: ["node", "server.js"], cwd: folder, env: {}, headers: {}, trusted: false },
        ...care,
      },
    },
    identity: {
      audience: "http://127.0.0.1:7080",
      issuers: [],
      signed_agents: [],
      signature_seconds_max: 300,
    },
    development_tokens: [],
    directory: { subjects: [], resources: [] },
    authzen: { enforcement_points: [] },
    approvals: {
      url: "http://127.0.0.1:7081",
      approvers: [],
      session_minutes: 480,
      hold_seconds: 45,
      kill_groups: [],
      ...{ channels: {}, routes: [], on_call: {} },
      floods: { per_agent_max: 20, total_max: 200, decline: true },
    },
    limits: {
      body_bytes_max: 4_194_304,
      depth_max: 64,
      headers_max: 100,
      header_bytes_max: 16_384,
      path_bytes_max: 8192,
      parameters_max: 256,
      connections_max: 8000,
      bodies_bytes_max: 536870912,
      requests_open_max: 4096,
      calls_in_flight_max: 1024,
      calls_in_flight_per_agent_max: 64,
      evaluations_max: 100,
      search_results_max: 100,
      search_candidates_max: 10_000,
      search_time_ms_max: 500,
      request_timeout_ms: 30_000,
      upstream_head_timeout_ms: 60_000,
      upstream_idle_timeout_ms: 60_000,
      answer_hold_bytes_max: 1_048_576,
      line_bytes_max: 16_777_216,
      kill_lease_ms: 5000,
      approval_questions_per_minute_max: 10,
      escrow_items_max: 1000,
      escrow_bytes_max: 33_554_432,
      escrow_items_per_agent_max: 100,
      escrow_bytes_per_agent_max: 8_388_608,
    },
    telemetry: { trace_sample_ratio: 1, service_name: "holdfast" },
    log: { level: "info" },
    model: {
      ...{ facts_every_seconds: 5, facts_fresh_seconds: 300, outcome_window_seconds: 300 },
      kinds: {},
    },
  });
});

test("of several upstreams none has more than half of the room", async () => {
  const two = await load(`${smallest}  notes:\n    mcp: { url: "http://notes.test" }\n`);
  const rooms = Object.values(two.upstreams).map((each) => each.calls_in_flight_max);
  expect(rooms).toEqual([512, 512]);
});

test("hosts: the loopback names, that of the public address, and those configured", async () => {
  const config = await load(
    `${smallest}public_url: https://gate.test:8443\nallowed_hosts: [lan]\n`,
  );
  expect(config.allowed_hosts).toEqual(["localhost", "127.0.0.1", "[::1]", "gate.test", "lan"]);
  expect(config.allowed_origins).toEqual(["localhost", "127.0.0.1", "[::1]", "gate.test"]);
});

test("secrets come from the file, the environment or another file, and are never printed", async () => {
  writeFileSync(join(folder, "key.txt"), "from-file\n");
  const config = await load(`
upstreams:
  pay:
    http:
      base_url: https://pay.test/v1
      openapi: pay.yaml
      headers: { authorization: { env: SECRET }, x-key: { file: key.txt }, x-plain: plain }
development_tokens:
  - { token: { env: SECRET }, agent: buyer }
`);
  const { http } = config.upstreams["pay"] ?? {};
  expect(http?.openapi).toBe(join(folder, "pay.yaml"));
  const shown = Object.values(http?.headers ?? {});
  expect(shown.map((secret) => secret.reveal())).toEqual(["from-env", "from-file", "plain"]);
  expect(config.development_tokens[0]?.tenant).toBe("default");
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9 }), `${shown[0]}`]) {
    expect(text).not.toMatch(/from-env|from-file|"plain"/);
  }
});

const http = (lines: string): string => `upstreams:\n  pay:\n    http:\n${lines}`;
const base = "      base_url: https://pay.test\n";

const faults: readonly (readonly [string, string, string | RegExp])[] = [
  [
    "unknown field",
    `${smallest}listn: x:1\n`,
    /^5:1: error: unknown field "listn"; did you mean listen\?/,
  ],
  [
    "nested field",
    `${smallest}limits:\n  body_bytes_mx: 1\n`,
    /^6:3: .*did you mean body_bytes_max\?/,
  ],
  ["unknown word", `${smallest}log: { level: inf }\n`, /^5:15: .*did you mean info\?/],
  ["wrong type", `${smallest}limits: { depth_max: many }\n`, /^5:22: .*must be integer/],
  ["out of range", `${smallest}limits:\n  depth_max: 65\n`, /^6:14: .*<= 64/],
  ["missing field", http("      headers: {}\n"), /^3:5: .*"base_url" is missing/],
  ["no upstreams", "site: a\n", /^1:1: .*"upstreams" is missing/],
  [
    "bad name",
    "upstreams:\n  Pay.1:\n    http:\n      base_url: http://x\n",
    /^2:3: .*lower-case name/,
  ],
  [
    "both kinds",
    `${http(base)}    mcp: { url: http://x }\n`,
    /^3:5: .*exactly one of mcp and http/,
  ],
  [
    "a rest that begins longer than it may last",
    `${http(base)}    breaker: { open_ms: 90000 }\n`,
    /^5:25: .*open_ms is 90000, over open_ms_max \(60000\)\n?.*raise open_ms_max/s,
  ],
  [
    "a wait that begins longer than it may last",
    `${http(base)}    retries: { backoff_ms: 5000 }\n`,
    /backoff_ms is 5000, over backoff_ms_max \(2000\)/,
  ],
  [
    "a program that honours keys it is never sent",
    "upstreams:\n  a:\n    mcp: { command: [x] }\n    idempotency: honoured\n",
    /^4:18: .*a program is sent no idempotency key/,
  ],
  [
    "a dry run in no place of an HTTP call",
    `${http(base)}    dry_run: { "POST /a": { set: args.dry_run, to: true } }\n`,
    /args\.dry_run is no argument that makes an HTTP call a dry run.*below args\.query or args\.body/s,
  ],
  [
    "a dry run of no route",
    `${http(`${base}      routes: [{ method: POST, path: /pay }]\n`)}    dry_run: { "POST /pai": { set: args.query.dry, to: "1" } }\n`,
    /"POST \/pai" is none of the routes.*POST \/pay/s,
  ],
  [
    "a dry run by more than one value",
    `${http(base)}    dry_run: { "POST /a": { set: args.body.dry, to: [1] } }\n`,
    /to is one text, number or boolean/,
  ],
  [
    "a misspelt word of a breaker",
    `${http(base)}    breaker: { failures_in_a_row: 3 }\n`,
    /unknown field "failures_in_a_row".*did you mean failures_in_row\?/s,
  ],
  ["neither", "upstreams:\n  a:\n    mcp: {}\n", /^3:5: .*exactly one of command and url/],
  [
    "cwd of an address",
    "upstreams:\n  a:\n    mcp: { url: http://x, cwd: . }\n",
    /cwd belongs to command/,
  ],
  [
    "openapi and routes",
    http(`${base}      openapi: x\n      routes: [{ method: GET, path: /a }]\n`),
    /not both/,
  ],
  [
    "method",
    http(`${base}      routes: [{ method: GTE, path: /a }]\n`),
    /^5:26: .*did you mean GET\?/,
  ],
  [
    "credentials in an address",
    http("      base_url: https://u:p@pay.test\n"),
    /^4:17: .*without credentials/,
  ],
  [
    "forwarded credentials",
    http(`${base}      forward_headers: [authorization]\n`),
    /^5:25: .*never sent on/,
  ],
  [
    "secret of a wrong form",
    `${smallest}development_tokens: [{ token: 5, agent: a }]\n`,
    /^5:31: .*env: NAME/,
  ],
  [
    "environment",
    `${smallest}development_tokens:\n  - token: { env: NONE }\n    agent: a\n`,
    /^6:19: .*NONE is not set/,
  ],
  [
    "secret file",
    `${smallest}development_tokens:\n  - token: { file: none }\n    agent: a\n`,
    /^6:20: .*ENOENT/,
  ],
  [
    "keys of an issuer",
    `${smallest}identity:\n  issuers: [{ issuer: a }]\n`,
    /exactly one of jwks_url and jwks_file/,
  ],
  [
    "a subject listed twice, once by the default tenant",
    `${smallest}directory:\n  subjects:\n    - { type: user, id: a }\n    - { type: user, id: a, tenant: default }\n`,
    /^8:25: .*user "a" is listed twice/,
  ],
  [
    "an agent that policy would take for a listed user",
    `${smallest}directory: { subjects: [{ type: user, id: a }, { type: agent, id: "user:a" }] }\n`,
    /agent "user:a" is listed twice/,
  ],
  [
    "a resource listed twice",
    `${smallest}directory: { resources: [{ type: r, id: a }, { type: r, id: a }] }\n`,
    /r "a" is listed twice/,
  ],
  [
    "a subject that would claim a delegation",
    `${smallest}directory:\n  subjects:\n    - type: user\n      id: a\n      properties:\n        delegation: [b]\n`,
    /^10:9: .*delegation is no property of a subject: each request says it/,
  ],
  [
    "a field of a resource",
    `${smallest}directory: { resources: [{ type: r, id: a, props: {} }] }\n`,
    /unknown field "props"\n {4}valid here: type, id, tenant, properties/,
  ],
  [
    "an enforcement point listed twice",
    `${smallest}authzen: { enforcement_points: [{ agent: a }, { agent: a }] }\n`,
    /agent "a" is listed twice/,
  ],
  ["port", `${smallest}listen: 127.0.0.1:99999\n`, /^5:9: .*over 65535/],
  ["address", `${smallest}listen: here\n`, /^5:9: .*an address and a port/],
  ["repeated key", `${smallest}site: a\nsite: b\n`, /^6:1: .*twice/],
  ["alias", `${smallest}site: &a b\ntenant: *a\n`, /anchors and aliases/],
  ["empty", "", /empty/],
  ["a list", "[]", /must be object/],
];

test.each(faults)(
  "a fault is named with line, column and the nearest word: %s",
  async (_, text, expected) => {
    const found = await problems(text);
    expect(found[0]).toMatch(expected);
  },
);

test("tenants: the default one fills in, another makes another subject", async () => {
  const text = `upstreams: {}
tenant: acme
directory: { subjects: [{ type: user, id: a }, { type: user, id: a, tenant: other, properties: { b: 1 } }] }
authzen: { enforcement_points: [{ agent: p }, { agent: p, tenant: other }] }
`;
  const { directory, authzen, upstreams } = await load(text);
  expect(upstreams).toEqual({});
  expect(directory.subjects).toEqual([
    { type: "user", id: "a", tenant: "acme", properties: {} },
    { type: "user", id: "a", tenant: "other", properties: { b: 1 } },
  ]);
  expect(authzen.enforcement_points.map(({ tenant }) => tenant)).toEqual(["acme", "other"]);
});

test("every fault is reported at once, in order", async () => {
  const found = await problems(`${smallest}sit: a\nlog: { level: 1 }\nlimits: { x_max: 1 }\n`);
  expect(found.map((one) => one.split(":", 1)[0])).toEqual(["5", "6", "7"]);
});

test("a file that cannot be read is a diagnostic", async () => {
  const loaded = await loadConfig(join(folder, "absent.yaml"), {});
  expect(loaded.ok ? [] : loaded.error[0]?.message).toMatch(/ENOENT/);
});

const bundle = (more: string): string =>
  `${smallest}bundle:\n  url: ${more}\n  public_keys: [a.pem, keys/b.pem]\n`;

test("policy from a bundle: defaults, paths, and a token in a file that may be replaced", async () => {
  writeFileSync(join(folder, "token"), "secret\n");
  const config = await load(`${bundle("https://c.test/b")}  token: { file: token }\n`);
  expect(config.policies).toBeUndefined();
  expect(config.bundle).toMatchObject({
    url: "https://c.test/b",
    public_keys: [join(folder, "a.pem"), join(folder, "keys/b.pem")],
    token_file: join(folder, "token"),
    ...{ poll_seconds_min: 10, poll_seconds_max: 20, long_poll_seconds: 30 },
    stale_after_seconds: 300,
  });
  expect(config.bundle?.token?.reveal()).toBe("secret");
});

test.each([
  [`${bundle("https://c.test/b")}policies: p\n`, "give policies or bundle, not both"],
  [`${bundle("http://c.test/b")}  token: t\n`, "a token is sent over https only"],
  [`${bundle("https://c.test/b")}  poll_seconds_min: 30\n`, "poll_seconds_min is over"],
  [`${smallest}bundle: { url: "https://c.test/b" }\n`, "public_keys"],
  [`${bundle("https://c.test/b")}  token: { file: absent }\n`, "absent cannot be read"],
])("a bundle that cannot be meant is refused: %#", async (text, said) => {
  expect((await problems(text)).join("\n")).toContain(said);
});
