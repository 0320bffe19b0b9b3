/** By mail: who may answer is told, with the address of the page, and of how it ended. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Mail, SmtpStandIn } from "../../fixtures/smtp-stand-in.ts";
import { until } from "../product/harness.ts";
import { ChannelsWorld } from "./channels-world.ts";

const made: { world?: ChannelsWorld; smtp?: SmtpStandIn } = {};
const world = (): ChannelsWorld => made.world as ChannelsWorld;
const smtp = (): SmtpStandIn => made.smtp as SmtpStandIn;

beforeAll(async () => {
  made.smtp = await SmtpStandIn.start();
  made.world = await ChannelsWorld.start(`
  email: { smtp: "${smtp().url}", from: "Holdfast <holdfast@example.com>" }
  channels:
    mail: { email: {} }
    board: { email: { to: [board@example.com] } }
  routes:
    - { risks: [critical], channels: [board] }
    - { groups: [leads], channels: [mail], on_call: leads }
    - { channels: [mail] }
  on_call:
    leads: { approvers: [bob], starts: "2020-01-01T00:00:00Z", overrides: [] }
`);
});
afterAll(async () => {
  await made.world?.close();
  await made.smtp?.stop();
});

async function mail(words: string, nth = 0): Promise<Mail> {
  return await until(
    `mail ${nth} about ${words}`,
    async () => smtp().mails.filter(({ text }) => text.includes(words))[nth],
  );
}

test("whoever is on call gets the page's address, and in the same thread how it ended", async () => {
  const { id, ...rest } = await world().ask({ agent: "pay-bot\r\nBcc: mallory@example.com" });
  const asked = await mail(id);
  expect(asked).toMatchObject({ from: "holdfast@example.com", to: ["bob@example.com"] });
  expect(asked.headers["auto-submitted"]).toBe("auto-generated");
  expect(asked.headers["bcc"]).toBeUndefined();
  expect(asked.text).toContain(`Sign in and answer: ${world().url}/approvals/${id}`);
  expect(asked.text).toContain('"amount": 75000');
  await world().put({ ...rest, id, state: "declined", closed_ms: 1, closed_because: "by hand" });
  const ended = await mail(id, 1);
  expect(ended.to).toEqual(["bob@example.com"]);
  expect(ended.headers["in-reply-to"]).toBe(asked.headers["message-id"]);
  expect(ended.text).toContain("declined: by hand");
});

test("without anybody on call, all who may answer; a fixed address where there is one", async () => {
  const { id } = await world().ask({ requirements: [{ groups: [], count: 1 }] });
  // Carol is whom the agent acts for, Rita has no address.
  expect((await mail(id)).to).toEqual(["alice@example.com", "bob@example.com"]);
  const critical = await world().ask({ risk: "critical" });
  expect((await mail(critical.id)).to).toEqual(["board@example.com"]);
});

test("opening the address changes nothing, whoever opens it", async () => {
  const { id } = await world().ask();
  const [link = "", ...others] = (await mail(id)).text.match(/https?:\S+/g) ?? [];
  expect(others).toEqual([]);
  await fetch(link);
  await fetch(link, { method: "HEAD" });
  expect(await world().stored(id)).toMatchObject({ state: "pending", version: 1 });
});

test("a mail server that says later is asked later; one that says no is shown in the status", async () => {
  smtp().failures.push(451, 550);
  const { id } = await world().ask();
  const channel = await until("the refusal is shown", async () => {
    const { notices } = (await world().status()).body as {
      notices: { channels: { last_error: string }[] };
    };
    return notices.channels.find(({ last_error }) => last_error?.includes("550"));
  });
  expect(channel).toMatchObject({ name: "mail", waiting: 1 });
  expect(channel?.last_error).toMatch(/^refused: /);
  expect(smtp().mails.some(({ text }) => text.includes(id))).toBe(false);
});
