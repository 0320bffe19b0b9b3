/** Channels, routes and turns in `approvals:`: every mistake by its line, because it would be found out at night. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Config, loadConfig } from "../../../src/cli/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-notices-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "holdfast.yaml");

/** What the file is refused for, `3:5: error: …`, or the approvals it makes. */
async function load(lines: readonly string[]): Promise<Config["approvals"] | readonly string[]> {
  writeFileSync(
    file,
    `approvals:\n${lines.map((line) => `  ${line}`).join("\n")}\nupstreams: {}\n`,
  );
  const loaded = await loadConfig(file, { BOT: "xoxb-1" });
  if (loaded.ok) return loaded.value.approvals;
  return loaded.error.map((one) => formatDiagnostic(one).replace(`${file}:`, ""));
}

const approvers = "approvers: [{ id: alice }, { id: bob }]";
const slack = "slack: { bot_token: { env: BOT }, signing_secret: s }";
const whsec = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const channels = "channels: { pay: { slack: C0PAY }, night: { slack: C0OPS } }";

test("what is left out is filled in: one route to every channel", async () => {
  const config = await load([slack, channels]);
  expect(config).toMatchObject({
    slack: { api_url: "https://slack.com/api/" },
    routes: [{ channels: ["pay", "night"], reminders_max: 3 }],
    floods: { per_agent_max: 20, total_max: 200, decline: true },
  });
  expect((config as Config["approvals"]).slack?.bot_token.reveal()).toBe("xoxb-1");
  expect(JSON.stringify(config)).not.toContain("xoxb-1");
});

const faults: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "a channel of two kinds",
    [slack, "channels: { a: { slack: C01, email: {} } }"],
    /give exactly one of slack, teams, webhook, email/,
  ],
  [
    "a channel of no kind",
    ["channels: { a: { digest_seconds: 5 } }"],
    /^2:15: .*give exactly one of/,
  ],
  [
    "Slack that nobody configured",
    ["channels: { a: { slack: C01 } }"],
    /^2:20: .*slack needs approvals.slack/,
  ],
  ["Slack without clicks", ["slack: { bot_token: x }"], /^2:3: .*signing_secret .*or app_token/],
  [
    "a secret that is not there",
    ["slack: { bot_token: { env: GONE }, signing_secret: s }"],
    /environment variable GONE is not set/,
  ],
  [
    "a channel name",
    [slack, "channels: { a: { slack: general } }"],
    /^3:27: .*the id of a Slack channel/,
  ],
  [
    "a route to a channel that is not there",
    [slack, channels, "routes: [{ channels: [pya] }]"],
    /^4:25: .*no channel "pya".*pay/s,
  ],
  [
    "an escalation to nowhere",
    [slack, channels, "routes: [{ channels: [pay], escalate_after_seconds: 60 }]"],
    /escalate_to and escalate_after_seconds belong together/,
  ],
  [
    "turns that are not there",
    [slack, channels, "routes: [{ channels: [pay], on_call: leads }]"],
    /no rotation in approvals.on_call "leads"/,
  ],
  [
    "turns of strangers",
    [approvers, 'on_call: { a: { approvers: [alcie], starts: "2026-01-05T09:00:00Z" } }'],
    /^3:31: .*no approver "alcie".*alice/s,
  ],
  [
    "a date that is none",
    [approvers, 'on_call: { a: { approvers: [alice], starts: "2026-13-05T09:00:00Z" } }'],
    /is no date and time/,
  ],
  [
    "a stand-in that ends before it begins",
    [
      approvers,
      'on_call: { a: { approvers: [alice], starts: "2026-01-05T09:00:00Z", overrides: [{ from: "2026-02-02T00:00:00Z", to: "2026-02-01T00:00:00Z", approver: bob }] } }',
    ],
    /it ends before it begins/,
  ],
  [
    "a time zone",
    [
      slack,
      'channels: { a: { slack: C01, quiet_hours: { from: "22:00", to: "07:00", time_zone: Europe/Berln } } }',
    ],
    /"Europe\/Berln" is no time zone/,
  ],
  [
    "an hour",
    [
      slack,
      'channels: { a: { slack: C01, quiet_hours: { from: "24:00", to: "07:00", time_zone: UTC } } }',
    ],
    /a time of day, such as 22:00/,
  ],
  ["mail without a server", ["channels: { a: { email: {} } }"], /email needs approvals.email/],
  [
    "a server that is none",
    ["email: { smtp: 'https://mail.test', from: a@b.test }"],
    /^2:18: .*an smtp:\/\/ or smtps:\/\/ address is needed/,
  ],
  [
    "a webhook in clear",
    [`channels: { a: { webhook: { url: "http://pager.test/", secret: ${whsec} } } }`],
    /^2:36: .*over https only/,
  ],
  [
    "a webhook's secret",
    ["channels: { a: { webhook: { url: https://pager.test/, secret: whsec_c2hvcnQ= } } }"],
    /whsec_ and base64 of 24 to 64 bytes.*openssl rand/,
  ],
  [
    "a webhook that could decide for anybody",
    [
      `channels: { a: { webhook: { url: https://pager.test/, secret: ${whsec}, decision_secret: ${whsec} } } }`,
    ],
    /decision_secret and decides_for belong together/,
  ],
  [
    "a webhook that decides for a stranger",
    [
      approvers,
      `channels: { a: { webhook: { url: https://pager.test/, secret: ${whsec}, decision_secret: ${whsec}, decides_for: [bbo] } } }`,
    ],
    /no approver "bbo"; did you mean bob/,
  ],
  [
    "a workflow in clear",
    ["channels: { a: { teams: { url: http://flow.test/ } } }"],
    /an https:\/\/ address is needed/,
  ],
  [
    "a token that is none",
    ["channels: { a: { teams: { url: https://flow.test/, outgoing_webhook_token: short } } }"],
    /security token that Teams showed/,
  ],
  [
    "a person of two approvers",
    [
      "approvers: [{ id: a, teams: 00000000-0000-0000-0000-000000000001 }, { id: b, teams: 00000000-0000-0000-0000-000000000001 }]",
    ],
    /Teams member .* is that of a/,
  ],
];

for (const [what, lines, expected] of faults)
  test(`refused by its line: ${what}`, async () => {
    const refused = await load(lines);
    expect(Array.isArray(refused)).toBe(true);
    expect((refused as readonly string[]).join("\n")).toMatch(expected);
  });

const failover = (drills: string): string =>
  `upstreams: {}\nfailover:\n  manifest: m.json\n  manifest_keys: [k]\n  token: t\n  drills: ${drills}\n`;

/** The drills whose people are told, or what the file is refused for. */
async function drillsOf(approvals: string, drills: string) {
  writeFileSync(file, `approvals: { ${approvals} }\n${failover(drills)}`);
  const loaded = await loadConfig(file, {});
  if (loaded.ok) return loaded.value.failover?.drills;
  return loaded.error.map((one) => formatDiagnostic(one).replace(`${file}:`, "")).join("\n");
}

const pager = `channels: { pager: { webhook: { url: https://pager.test/, secret: ${whsec} } } }`;

test("overdue drills are told to every channel, or to those that are named and there", async () => {
  const drills = { folder: join(folder, "d"), schedule: join(folder, "s.yaml") };
  expect(await drillsOf(pager, "{ folder: d, schedule: s.yaml }")).toEqual({
    ...drills,
    channels: ["pager"],
  });
  expect(await drillsOf(pager, "{ folder: d, schedule: s.yaml, channels: [pgaer] }")).toMatch(
    /^7:53: .*no channel "pgaer"; did you mean pager/,
  );
  expect(await drillsOf("", "{ folder: d, schedule: s.yaml }")).toMatch(
    /people are told of overdue drills by approvals.channels, and there is none/,
  );
  expect(await drillsOf(pager, "{ folder: d }")).toContain("schedule");
});
