/** Approving in Slack: a real control process, and a stand-in that speaks Slack's wire format. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vote } from "../../../src/approvals/index.ts";
import { type Json, type SlackMessage, SlackStandIn } from "../../fixtures/slack-stand-in.ts";
import { until } from "../product/harness.ts";
import { ChannelsWorld } from "./channels-world.ts";

const made: { world?: ChannelsWorld; slack?: SlackStandIn } = {};
const world = (): ChannelsWorld => made.world as ChannelsWorld;
const slack = (): SlackStandIn => made.slack as SlackStandIn;
const url = (): string => `${world().url}/slack/interactivity`;

beforeAll(async () => {
  made.slack = await SlackStandIn.start();
  made.world = await ChannelsWorld.start(`
  slack:
    bot_token: ${slack().botToken}
    signing_secret: ${slack().signingSecret}
    api_url: ${slack().apiUrl}
    team: T0TEAM
  channels:
    pay: { slack: C0PAY }
`);
});
afterAll(async () => {
  await made.world?.close();
  await made.slack?.stop();
});

/** The message about this approval, as soon as it is there. */
async function message(id: string): Promise<SlackMessage> {
  return await until(`a message about ${id}`, async () =>
    slack()
      .in("C0PAY")
      .find(({ blocks }) => JSON.stringify(blocks).includes(id)),
  );
}

async function untilUpdated(about: SlackMessage, words: string): Promise<void> {
  await until(`the message says ${words}`, async () =>
    JSON.stringify(about.blocks).includes(words) ? true : undefined,
  );
}

/** Clicks, and waits for the modal. */
async function modal(about: SlackMessage, action: string, user: string) {
  const before = slack().views.length;
  const payload = slack().clickPayload(about, action, user);
  const answer = await slack().signed(url(), payload).send();
  expect(answer).toEqual({ status: 200, body: undefined });
  return await until("a modal", async () => slack().views[before]);
}

/** Clicks, and waits for what only the person sees. */
async function refusal(about: SlackMessage, user: string, home?: string): Promise<string> {
  const before = slack().whispers.length;
  const payload = slack().clickPayload(about, "holdfast_approve", user, home);
  expect((await slack().signed(url(), payload).send()).status).toBe(200);
  const whisper = await until("a private message", async () => slack().whispers[before]);
  expect(whisper).toMatchObject({ channel: "C0PAY", user });
  return whisper.text;
}

test("asked, told, clicked, granted, and the message says so", async () => {
  const { id } = await world().ask();
  const about = await message(id);
  expect(about.text).toBe("pay-bot wants payments:POST /payments");
  const view = await modal(about, "holdfast_approve", "U0ALICE");
  expect(JSON.stringify(view.view)).toContain("75000");
  const submit = slack().submitPayload(view, "U0ALICE", "invoice 4711 is paid");
  expect(await slack().signed(url(), submit).send()).toEqual({
    status: 200,
    body: { response_action: "clear" },
  });
  const granted = await world().untilState(id, "granted");
  expect(granted.votes).toMatchObject([
    { approver: "alice", verdict: "approve", channel: "slack", reason: "invoice 4711 is paid" },
  ]);
  await untilUpdated(about, "alice approved: invoice 4711 is paid");
  expect(slack().button(about, "holdfast_approve")).toBeUndefined();

  // Submitted twice, the answer is the same, and it is one vote.
  const again = slack().submitPayload(view, "U0ALICE", "invoice 4711 is paid");
  expect((await slack().signed(url(), again).send()).body).toEqual({ response_action: "clear" });
  const other = slack().submitPayload(view, "U0BOB", "me too");
  expect((await slack().signed(url(), other).send()).body).toMatchObject({
    ...{
      response_action: "errors",
      errors: { holdfast_reason: expect.stringContaining("granted already") },
    },
  });
  expect((await world().stored(id))?.votes).toHaveLength(1);
});

test("what an agent wrote is shown as it is, and means nothing to Slack", async () => {
  const { id } = await world().ask({ agent: "<!here> & bot", reason: "a\u202eb\u0007" });
  const about = await message(id);
  expect(about.text).toBe("&lt;!here&gt; &amp; bot wants payments:POST /payments");
  const readsMarkup = about.blocks.filter((block) => JSON.stringify(block).includes('"mrkdwn"'));
  expect(readsMarkup).toEqual([]);
  expect(JSON.stringify(about.blocks)).toContain("a\\\\u202eb\\\\u0007");
  const body = about.blocks.find(({ type }) => type === "rich_text") as Json;
  expect(JSON.stringify(body)).toContain("<https://evil.test|Approve>");
});

test("a decline needs a reason, and is final", async () => {
  const { id } = await world().ask();
  const about = await message(id);
  const view = await modal(about, "holdfast_decline", "U0BOB");
  const silent = slack().submitPayload(view, "U0BOB", "");
  expect((await slack().signed(url(), silent).send()).body).toMatchObject({
    response_action: "errors",
  });
  expect((await world().stored(id))?.state).toBe("pending");
  const submit = slack().submitPayload(view, "U0BOB", "wrong account");
  await slack().signed(url(), submit).send();
  expect(await world().untilState(id, "declined")).toMatchObject({
    votes: [{ approver: "bob", verdict: "decline", reason: "wrong account" }],
  });
  await untilUpdated(about, "bob declined: wrong account");
});

describe("does not count, and changes nothing:", () => {
  test("a click of somebody who is no approver, is the requester, may not answer, or is a guest", async () => {
    const { id } = await world().ask();
    const about = await message(id);
    expect(await refusal(about, "U0MALLORY")).toContain("slack: U0MALLORY");
    expect(await refusal(about, "U0CAROL")).toContain("somebody else must answer");
    expect(await refusal(about, "U0RITA")).toContain("none of the groups");
    expect(await refusal(about, "U0ALICE", "T0OTHER")).toContain("Only members of the workspace");
    // The same by the modal, for whoever gets hold of one.
    const view = await modal(about, "holdfast_approve", "U0ALICE");
    for (const [user, home] of [
      ["U0MALLORY"],
      ["U0CAROL"],
      ["U0RITA"],
      ["U0BOB", "T0OTHER"],
    ] as const) {
      const submit = slack().submitPayload(view, user, "yes", home);
      expect((await slack().signed(url(), submit).send()).body).toMatchObject({
        response_action: "errors",
      });
    }
    expect(await world().stored(id)).toMatchObject({ state: "pending", version: 1 });
  });

  test("what is not signed, is late, from the future, altered, or repeated", async () => {
    const { id } = await world().ask();
    const view = await modal(await message(id), "holdfast_approve", "U0ALICE");
    const submit = slack().submitPayload(view, "U0ALICE", "yes");
    const now = Math.floor(Date.now() / 1_000);
    const bad = [
      { secret: "another secret" },
      { timestampSeconds: now - 400 },
      { timestampSeconds: now + 400 },
      { body: (text: string) => text.replace("U0ALICE", "U0BOB") },
    ];
    for (const tampering of bad)
      expect((await slack().signed(url(), submit, tampering).send()).status).toBe(401);
    expect(await world().stored(id)).toMatchObject({ state: "pending", version: 1 });
    const click = slack().signed(
      url(),
      slack().clickPayload(await message(id), "holdfast_open", "U0BOB"),
    );
    expect((await click.send()).status).toBe(200);
    expect((await click.send()).status).toBe(409);
    const once = slack().signed(url(), submit);
    const together = await Promise.all([once.send(), once.send(), once.send()]);
    expect(together.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect((await world().stored(id))?.votes).toHaveLength(1);
    const get = await fetch(`${url()}?payload=${encodeURIComponent(JSON.stringify(submit))}`);
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("an answer to what has been decided or has changed meanwhile", async () => {
    const two = [{ groups: ["leads"], count: 2 }];
    const asked = await world().ask({ requirements: two });
    const about = await message(asked.id);
    const view = await modal(about, "holdfast_approve", "U0ALICE");
    const bob = { id: "bob", groups: ["leads"], alsoKnownAs: [] };
    const ballot = { verdict: "approve", reason: "fine", channel: "cli", jti: "j" } as const;
    const first = vote(asked, bob, ballot, Date.now());
    if (!first.ok) throw new Error(first.error.detail);
    await world().put(first.value);
    const submit = slack().submitPayload(view, "U0ALICE", "yes");
    expect((await slack().signed(url(), submit).send()).body).toMatchObject({
      errors: { holdfast_reason: expect.stringContaining("has changed since it was shown") },
    });
    await untilUpdated(about, "Still missing\\n1");
    await modal(about, "holdfast_approve", "U0ALICE");
    await world().put({ ...first.value, state: "revoked", closed_ms: 1, closed_because: "policy" });
    expect(await refusal(about, "U0ALICE")).toContain("is revoked already");
  });
});

test("arguments too large for a message are answered on the page only", async () => {
  const { id } = await world().ask({ args_redacted: { note: "x".repeat(5_000) } });
  const about = await message(id);
  expect(slack().button(about, "holdfast_approve")).toBeUndefined();
  expect(slack().button(about, "holdfast_open")).toMatchObject({
    url: `${world().url}/approvals/${id}`,
  });
});

test("a restart tells nothing twice, and goes on with what it told", async () => {
  const asked = await world().ask();
  const about = await message(asked.id);
  const before = slack().messages.length;
  await world().restart();
  const { id } = await world().ask();
  await message(id);
  expect(slack().messages).toHaveLength(before + 1);
  await world().put({ ...asked, state: "declined", closed_ms: 1, closed_because: "by hand" });
  await untilUpdated(about, "declined: by hand");
});

test("Slack's errors are shown in the status and metrics, and overcome", async () => {
  slack().failures.push(
    { status: 429, retryAfter: 1 },
    { status: 500 },
    { status: 200, error: "not_in_channel" },
  );
  const before = slack().calls.length;
  await world().ask();
  await until("three failures", async () =>
    slack().calls.length >= before + 3 ? true : undefined,
  );
  const status = await until("the error is shown", async () => {
    const { notices } = (await world().status()).body as { notices: { channels: Json[] } };
    return String(notices.channels[0]?.["last_error"]).includes("/invite") ? notices : undefined;
  });
  expect(status).toMatchObject({ leading: true, channels: [{ name: "pay", waiting: 1 }] });
  const metrics = await (await fetch(`${world().url}/metrics`)).text();
  expect(metrics).toContain(
    'holdfast_notices_total{channel="pay",step="deliver",outcome="refused"} 1',
  );
  expect(metrics).toContain('holdfast_notices_waiting{channel="pay"} 1');
});
