/** Slack by Socket Mode: nothing of Holdfast is reachable from outside, and clicks count as they do by HTTP. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { SlackStandIn } from "../../fixtures/slack-stand-in.ts";
import { until } from "../product/harness.ts";
import { ChannelsWorld } from "./channels-world.ts";

const made: { world?: ChannelsWorld; slack?: SlackStandIn } = {};
const world = (): ChannelsWorld => made.world as ChannelsWorld;
const slack = (): SlackStandIn => made.slack as SlackStandIn;

beforeAll(async () => {
  made.slack = await SlackStandIn.start();
  made.world = await ChannelsWorld.start(`
  slack: { bot_token: ${slack().botToken}, app_token: ${slack().appToken}, api_url: ${slack().apiUrl} }
  channels:
    pay: { slack: C0PAY }
`);
});
afterAll(async () => {
  await made.world?.close();
  await made.slack?.stop();
});

async function connected(): Promise<void> {
  await until("a connection", async () => (slack().connections === 1 ? true : undefined));
}

async function asked() {
  const { id } = await world().ask();
  const about = await until(`a message about ${id}`, async () =>
    slack()
      .in("C0PAY")
      .find(({ blocks }) => JSON.stringify(blocks).includes(id)),
  );
  return { id, about };
}

test("clicks come by the connection, each envelope counts once, and a new connection is made when one ends", async () => {
  await connected();
  const { id, about } = await asked();
  const before = slack().views.length;
  expect(
    await slack().envelope(slack().clickPayload(about, "holdfast_approve", "U0ALICE")),
  ).toEqual({});
  const view = await until("a modal", async () => slack().views[before]);
  const submit = slack().submitPayload(view, "U0ALICE", "paid before");
  expect(await slack().envelope(submit, "e-1")).toEqual({ response_action: "clear" });
  expect((await world().untilState(id, "granted")).votes).toMatchObject([{ channel: "slack" }]);
  await until("the message says so", async () => (about.updates > 0 ? true : undefined));

  // Slack sends an envelope again when it saw no acknowledgement; only a new one is looked at.
  const second = await asked();
  const click = slack().clickPayload(second.about, "holdfast_approve", "U0MALLORY");
  const told = slack().whispers.length;
  await slack().envelope(click, "e-2");
  await until("the refusal", async () => slack().whispers[told]);
  void slack().envelope(click, "e-2");
  await world().control.line("slack_envelope_refused");
  expect(slack().whispers).toHaveLength(told + 1);

  slack().refresh();
  await until("the old one is gone", async () => (slack().connections === 0 ? true : undefined));
  await connected();
  const third = slack().clickPayload(second.about, "holdfast_decline", "U0BOB");
  const views = slack().views.length;
  await slack().envelope(third);
  await until("a modal", async () => slack().views[views]);
});

test("without a signing secret there is no address for clicks", async () => {
  const { about } = await asked();
  const payload = slack().clickPayload(about, "holdfast_approve", "U0ALICE");
  const sent = await slack().signed(`${world().url}/slack/interactivity`, payload).send();
  expect(sent.status).toBe(404);
});
