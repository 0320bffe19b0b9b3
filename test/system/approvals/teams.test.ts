/** Teams: cards that its own parser takes without a complaint, and answers in words that Teams signed. */
// @ts-expect-error its one file has no types
import adaptivecards from "adaptivecards/dist/adaptivecards.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TeamsStandIn } from "../../fixtures/teams-stand-in.ts";
import { until } from "../product/harness.ts";
import { ChannelsWorld } from "./channels-world.ts";

const alice = "00000000-0000-0000-0000-00000000a11c";
const made: { world?: ChannelsWorld; teams?: TeamsStandIn } = {};
const world = (): ChannelsWorld => made.world as ChannelsWorld;
const teams = (): TeamsStandIn => made.teams as TeamsStandIn;
const url = (): string => `${world().url}/hooks/ops`;

beforeAll(async () => {
  made.teams = await TeamsStandIn.start();
  made.world = await ChannelsWorld.start(`
  channels:
    ops:
      teams: { url: "${teams().workflow.url}?sig=secret-of-the-workflow", outgoing_webhook_token: "${teams().token}" }
`);
});
afterAll(async () => {
  await made.world?.close();
  await made.teams?.stop();
});

interface Parser {
  readonly AdaptiveCard: new () => { parse(card: unknown, context: unknown): void };
  readonly SerializationContext: new () => {
    readonly eventCount: number;
    getEventAt(at: number): { readonly message: string };
  };
}

/** What the parser of Adaptive Cards complains of. */
function complaints(card: unknown): readonly string[] {
  const { AdaptiveCard, SerializationContext } = adaptivecards as Parser;
  const context = new SerializationContext();
  new AdaptiveCard().parse(card, context);
  return Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message);
}

async function card(id: string, words = ""): Promise<string> {
  return await until(`a card about ${id} ${words}`, async () => {
    const found = teams().cards.map((each) => JSON.stringify(each));
    return found.findLast((each) => each.includes(id) && each.includes(words));
  });
}

/** The words that answer, as the card says them. */
async function sentence(id: string, verdict: string): Promise<string> {
  const found = new RegExp(`${verdict} ${id} [0-9a-f]{8} because`).exec(await card(id));
  return `${found?.[0]} invoice 4711`;
}

test("asked, told by a card, answered in words, granted, and told what became of it", async () => {
  const { id } = await world().ask();
  const shown = JSON.parse(await card(id));
  expect(complaints(shown)).toEqual([]);
  expect(complaints({ ...shown, body: [{ type: "TextBlok", text: "x" }] })).not.toEqual([]);
  expect(shown.actions).toEqual([
    { type: "Action.OpenUrl", title: "Open", url: `${world().url}/approvals/${id}` },
  ]);
  // Only text runs, where nothing that an agent wrote is markup.
  expect(shown.body.every(({ type }: { type: string }) => type === "RichTextBlock")).toBe(true);
  expect(JSON.stringify(shown)).toContain("<https://evil.test|Approve>");
  const answer = teams().written(url(), { text: await sentence(id, "approve"), from: alice });
  expect(await answer.send()).toEqual({ status: 200, text: `${id} is granted.` });
  expect((await world().stored(id))?.votes).toMatchObject([
    { approver: "alice", channel: "teams", reason: "because invoice 4711" },
  ]);
  expect((await answer.send()).status).toBe(409);
  expect(complaints(JSON.parse(await card(id, "approved: alice approved")))).toEqual([]);
});

test("what does not count changes nothing, and says why", async () => {
  const { id } = await world().ask();
  const text = await sentence(id, "approve");
  const old = new Date(Date.now() - 400_000).toISOString();
  const unsigned = [
    { text, from: alice, token: Buffer.alloc(32, 1).toString("base64") },
    { text, from: alice, timestamp: old },
    { text, from: alice, timestamp: new Date(Date.now() + 400_000).toISOString() },
  ];
  for (const each of unsigned) expect((await teams().written(url(), each).send()).status).toBe(401);
  const refused = [
    [{ text, from: "11111111-1111-1111-1111-111111111111" }, /no approver is.*teams: 1111/],
    [{ text, from: undefined }, /did not say who you are/],
    [{ text: "yes please", from: alice }, /Say approve or decline/],
    [{ text: text.replace(/[0-9a-f]{8} because/, "00000000 because"), from: alice }, /has changed/],
    [{ text: text.replace(id, "apr-none"), from: alice }, /there is no approval/],
  ] as const;
  for (const [each, words] of refused) {
    const answer = await teams().written(url(), each).send();
    expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(words)]);
  }
  expect(await world().stored(id)).toMatchObject({ state: "pending", version: 1 });
  expect((await fetch(url())).status).toBe(405);
});

test("arguments that do not fit are answered on the page only; many lines are one paragraph", async () => {
  const large = await world().ask({ args_redacted: { note: "x".repeat(5_000) } });
  expect(await card(large.id)).not.toContain(`approve ${large.id}`);
  const many = await world().ask({
    args_redacted: { list: Array.from({ length: 100 }, (_, i) => i) },
  });
  const shown = JSON.parse(await card(many.id));
  expect(complaints(shown)).toEqual([]);
  expect(shown.body.length).toBeLessThan(30);
});

test("the address of the workflow is in no log and no status", async () => {
  teams().workflow.failures.push({ status: 404 });
  await world().ask();
  const status = await until("the failure is shown", async () => {
    const text = JSON.stringify((await world().status()).body);
    return text.includes("status 404") ? text : undefined;
  });
  expect(status + world().control.log).not.toContain("secret-of-the-workflow");
});
