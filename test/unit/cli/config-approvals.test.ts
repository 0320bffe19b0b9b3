/** `approvals:` of holdfast.yaml: who approves, and every way in which two people could become one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { approverOf, type Config, loadConfig } from "../../../src/cli/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-approvals-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "holdfast.yaml");
const token = "0123456789abcdef0123456789abcdef";
const oidc = "oidc: { issuer: https://id.test, client_id: page }";

/** What the file is refused for, `3:5: error: …`, or the approvals it makes. */
async function load(approvals: string): Promise<Config["approvals"] | readonly string[]> {
  writeFileSync(file, `upstreams: {}\napprovals:\n${approvals.replaceAll(/^/gm, "  ")}\n`);
  const loaded = await loadConfig(file, { TOKEN: token });
  if (loaded.ok) return loaded.value.approvals;
  return loaded.error.map((one) => formatDiagnostic(one).replace(`${file}:`, ""));
}
const approvers = (...each: string[]): string =>
  `approvers:\n${each.map((one) => `- ${one}`).join("\n")}`;

test("approvers are completed: a name, the issuer, and everything they are called where calls are made", async () => {
  const config = await load(
    `url: https://approve.test/\n${oidc}\n${approvers(
      "{ id: alice, groups: [leads], oidc: { email: Alice@x.test }, slack: U012AB, email: al@x.test, cli_users: [root], principals: [u-17], token: { env: TOKEN } }",
      "{ id: bob, name: Bob B., oidc: { subject: '42' } }",
      "{ id: reviewer, agent: review-bot }",
    )}`,
  );
  expect(config).toMatchObject({
    url: "https://approve.test",
    hold_seconds: 45,
    session_minutes: 480,
    oidc: { issuer: "https://id.test", client_id: "page", scopes: ["email", "profile"] },
    approvers: [
      { id: "alice", name: "alice", oidc: { email: "Alice@x.test" } },
      { id: "bob", name: "Bob B.", oidc: { subject: "42" } },
      { id: "reviewer", groups: [], cli_users: [], principals: [], agent: "review-bot" },
    ],
  });
  const all = (config as Config["approvals"]).approvers.map(approverOf);
  expect(all).toEqual([
    { id: "alice", groups: ["leads"], alsoKnownAs: ["Alice@x.test", "al@x.test", "u-17"] },
    { id: "bob", groups: [], alsoKnownAs: ["42"] },
    { id: "reviewer", groups: [], alsoKnownAs: ["review-bot"] },
  ]);
});

const faults: readonly (readonly [string, string, RegExp])[] = [
  ["the same id", approvers("{ id: a }", "{ id: a }"), /^5:11: .*approver "a" is listed twice/],
  [
    "one subject",
    `${oidc}\n${approvers("{ id: a, oidc: { subject: s } }", "{ id: b, oidc: { subject: s  } }")}`,
    /^6:\d+: .*subject "s" is that of a/,
  ],
  [
    "one email in another case",
    `${oidc}\n${approvers("{ id: a, oidc: { email: A@x.test } }", "{ id: b, oidc: { email: a@X.test } }")}`,
    /signed-in email "a@X.test" is that of a/,
  ],
  [
    "one Slack member",
    approvers("{ id: a, slack: U0123 }", "{ id: b, slack: U0123 }"),
    /^5:21: .*Slack member "U0123" is that of a/,
  ],
  [
    "one user of this machine",
    approvers("{ id: a, cli_users: [root] }", "{ id: b, cli_users: [root] }"),
    /user "root" is that of a/,
  ],
  [
    "one principal",
    approvers("{ id: a, principals: [p] }", "{ id: b, principals: [p] }"),
    /principal "p" is that of a/,
  ],
  [
    "one agent",
    approvers("{ id: a, agent: bot }", "{ id: b, agent: bot }"),
    /agent "bot" is that of a/,
  ],
  [
    "one token",
    approvers(`{ id: a, token: ${token} }`, "{ id: b, token: { env: TOKEN } }"),
    /this token is that of a too/,
  ],
  ["a token to guess", approvers("{ id: a, token: secret }"), /^4:21: .*at least 32/],
  [
    "subject and email",
    `${oidc}\n${approvers("{ id: a, oidc: { subject: s, email: e@x.test } }")}`,
    /exactly one of subject and email/,
  ],
  ["neither", `${oidc}\n${approvers("{ id: a, oidc: {} }")}`, /exactly one of subject and email/],
  ["no provider", approvers("{ id: a, oidc: { subject: s } }"), /approvals\.oidc is missing/],
  [
    "an agent with a person's names",
    approvers("{ id: a, agent: bot, slack: U0123 }"),
    /^4:26: .*slack belongs to a person/,
  ],
  ["a group that is no list", approvers("{ id: a, groups: leads }"), /must be array/],
  ["a misspelt field", approvers("{ id: a, group: [x] }"), /did you mean groups\?/],
  ["an id with a blank", approvers("{ id: a b }"), /a name of 1 to 64/],
  ["a Slack name", approvers("{ id: a, slack: alice }"), /a Slack member id/],
  ["sign-in in clear", `url: http://approve.test\n${oidc}`, /^3:8: .*over https only/],
  [
    "a provider in clear",
    "oidc: { issuer: http://id.test, client_id: page }",
    /^3:19: .*over https only/,
  ],
  [
    "a name that only begins like this machine",
    `url: http://127.0.0.1.test\n${oidc}`,
    /over https only/,
  ],
  ["the audience of the gateway", `url: http://127.0.0.1:7080\n${oidc}`, /identity\.audience/],
];

for (const [name, approvals, expected] of faults)
  test(`refused: ${name}`, async () => {
    const said = await load(approvals);
    expect(said).toHaveLength(1);
    expect((said as readonly string[])[0]).toMatch(expected);
  });

test("a page that everybody reaches must say where", async () => {
  writeFileSync(
    file,
    `upstreams: {}\ncontrol: { listen: "0.0.0.0:7081" }\napprovals: { ${oidc} }\n`,
  );
  const loaded = await loadConfig(file, {});
  expect(JSON.stringify(loaded)).toContain("over https only");
});

test("secrets of approvals are never printed", async () => {
  const config = await load(
    `${oidc.replace(" }", ", client_secret: hush-hush }")}\n${approvers(`{ id: a, token: ${token} }`)}`,
  );
  expect(JSON.stringify(config)).not.toMatch(/hush-hush|0123456789abcdef/);
  expect((config as Config["approvals"]).oidc?.client_secret?.reveal()).toBe("hush-hush");
});
