/** From an agent's call to Slack and back: nothing is done before the click, and exactly what was shown is done after it. */
import { expect, test } from "vitest";
import { SlackStandIn } from "../../fixtures/slack-stand-in.ts";
import { until, world } from "../product/harness.ts";

const policy = `
policy: held
tools:
  "desk:POST /items": { effect: write, risk: high }
rules:
  - id: people
    match: { tools: "desk:POST /items" }
    outcome: approval_needed
    reason: items need a person
    approval: { approvers: { groups: [leads] } }
`;

test("an agent asks, a person clicks in Slack, and the call is made once", async () => {
  const slack = await SlackStandIn.start();
  const made = await world({
    config: `
approvals:
  approvers: [{ id: bob, groups: [leads], slack: U0BOB }]
  slack: { bot_token: ${slack.botToken}, signing_secret: ${slack.signingSecret}, api_url: ${slack.apiUrl} }
  channels: { pay: { slack: C0PAY } }
`,
  });
  try {
    made.policy("desk.yaml", policy);
    await made.both();
    const call = () => made.http("POST", "/http/desk/items", { name: "screws" });
    const first = await call();
    expect(first.status).toBe(403);
    const message = await until("a message", async () => slack.in("C0PAY")[0]);
    expect(JSON.stringify(message.blocks)).toContain("screws");
    const url = `${made.controlUrl}/slack/interactivity`;
    await slack.signed(url, slack.clickPayload(message, "holdfast_approve", "U0BOB")).send();
    const view = await until("a modal", async () => slack.views[0]);
    const answer = await slack
      .signed(url, slack.submitPayload(view, "U0BOB", "we need them"))
      .send();
    expect(answer.body).toEqual({ response_action: "clear" });
    const done = await until("the call is made", async () => {
      const tried = await call();
      return tried.status < 300 ? tried : undefined;
    });
    expect(done.status).toBeLessThan(300);
    await until("the message says it was done", async () =>
      JSON.stringify(message.blocks).includes("approved and done") ? true : undefined,
    );
    expect(slack.in("C0PAY")).toHaveLength(1);
  } finally {
    await made.close();
    await slack.stop();
  }
});
