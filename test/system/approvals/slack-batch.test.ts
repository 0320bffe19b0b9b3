/** Many questions in Slack: low-risk ones are answered together, each for its own arguments; a flood is one message. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { SlackStandIn } from "../../fixtures/slack-stand-in.ts";
import { until } from "../product/harness.ts";
import { ChannelsWorld } from "./channels-world.ts";

const made: { world?: ChannelsWorld; slack?: SlackStandIn } = {};
const world = (): ChannelsWorld => made.world as ChannelsWorld;
const slack = (): SlackStandIn => made.slack as SlackStandIn;
const url = (): string => `${world().url}/slack/interactivity`;

beforeAll(async () => {
  made.slack = await SlackStandIn.start();
  made.world = await ChannelsWorld.start(`
  slack: { bot_token: ${slack().botToken}, signing_secret: ${slack().signingSecret}, api_url: ${slack().apiUrl} }
  channels:
    pay: { slack: C0PAY, digest_seconds: 2 }
  floods: { per_agent_max: 5 }
`);
});
afterAll(async () => {
  await made.world?.close();
  await made.slack?.stop();
});

test("questions of low risk are one message and one decision; a critical one is alone", async () => {
  const low = { risk: "low", batch: true } as const;
  const asked = [
    await world().ask({ ...low, args_digest: `sha256:${"a".repeat(64)}` }),
    await world().ask({ ...low, args_digest: `sha256:${"b".repeat(64)}` }),
    await world().ask({ ...low, args_digest: `sha256:${"c".repeat(64)}` }),
  ];
  const critical = await world().ask({ ...low, risk: "critical" });
  const digest = await until("the digest", async () =>
    slack()
      .in("C0PAY")
      .find(({ text }) => text.startsWith("3 low-risk requests")),
  );
  for (const { id } of asked) expect(JSON.stringify(digest.blocks)).toContain(id);
  expect(JSON.stringify(digest.blocks)).not.toContain(critical.id);
  await slack()
    .signed(url(), slack().clickPayload(digest, "holdfast_approve", "U0ALICE"))
    .send();
  const view = await until("a modal", async () => slack().views[0]);
  const submit = slack().submitPayload(view, "U0ALICE", "routine");
  expect((await slack().signed(url(), submit).send()).body).toEqual({ response_action: "clear" });
  for (const { id } of asked)
    expect(await world().stored(id)).toMatchObject({
      ...{ state: "granted", votes: [{ approver: "alice", reason: "routine" }] },
    });
  expect((await world().stored(critical.id))?.state).toBe("pending");
  await until("the digest says so", async () =>
    digest.text.endsWith("all answered") ? true : undefined,
  );
  expect(slack().button(digest, "holdfast_approve")).toBeUndefined();
});

test("together with one that was answered meanwhile, none is answered", async () => {
  const low = { risk: "low", batch: true, agent: "other-bot" } as const;
  const asked = [
    await world().ask({ ...low, args_digest: `sha256:${"d".repeat(64)}` }),
    await world().ask({ ...low, args_digest: `sha256:${"e".repeat(64)}` }),
  ];
  const digest = await until("the digest", async () =>
    slack()
      .in("C0PAY")
      .find(({ blocks }) => JSON.stringify(blocks).includes(asked[1]?.id ?? "-")),
  );
  const before = slack().views.length;
  await slack()
    .signed(url(), slack().clickPayload(digest, "holdfast_decline", "U0BOB"))
    .send();
  const view = await until("a modal", async () => slack().views[before]);
  await world().put({ ...(asked[0] as (typeof asked)[number]), state: "declined", closed_ms: 1 });
  const submit = slack().submitPayload(view, "U0BOB", "no");
  expect((await slack().signed(url(), submit).send()).body).toMatchObject({
    response_action: "errors",
  });
  expect(await world().stored(asked[1]?.id ?? "")).toMatchObject({ state: "pending", votes: [] });
});

test("a flood is one message, and what is over the limit is declined with that reason", async () => {
  const asked = [];
  for (let i = 0; i < 20; i += 1)
    asked.push(await world().ask({ agent: "mad-bot", args_digest: `sha256:${i}` }));
  await world().untilState(asked[19]?.id ?? "", "declined");
  const flood = await until("the flood", async () =>
    slack()
      .in("C0PAY")
      .find(({ text }) => text.startsWith("Flood: mad-bot")),
  );
  expect(slack().button(flood, "holdfast_approve")).toBeUndefined();
  const single = slack()
    .in("C0PAY")
    .filter(({ text }) => text.startsWith("mad-bot wants"));
  expect(single.length).toBeLessThanOrEqual(5);
  expect(await world().stored(asked[19]?.id ?? "")).toMatchObject({
    ...{ votes: [], closed_because: expect.stringContaining("more than 5 questions of mad-bot") },
  });
});
