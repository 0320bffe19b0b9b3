/** What every channel promises of the port `Notifier`, whatever is at the other end. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { emailNotifier } from "../../src/adapters/email/index.ts";
import { type ClosableTransport, undiciTransport } from "../../src/adapters/http/index.ts";
import { SlackApi, slackNotifier } from "../../src/adapters/slack/index.ts";
import { teamsNotifier } from "../../src/adapters/teams/index.ts";
import { webhookNotifier } from "../../src/adapters/webhook/index.ts";
import type { Notice, Notifier, NotifyError } from "../../src/ports.ts";
import { recordingLog, SimChannel } from "../../src/sim/index.ts";
import { SlackStandIn } from "../fixtures/slack-stand-in.ts";
import { SmtpStandIn } from "../fixtures/smtp-stand-in.ts";
import { WebhookStandIn } from "../fixtures/webhook-stand-in.ts";

const notice: Notice = {
  ...{ id: "apr-1", kind: "question", status: "open", urgency: "high", title: "a wants b" },
  fields: Array.from({ length: 12 }, (_, i) => ({ name: `n${i}`, value: "v".repeat(300) })),
  body: '{\n  "x": 1\n}',
  answers: [{ approval: "apr-1", version: 1, argsDigest: "sha256:1" }],
  ...{ link: "https://approve.test/approvals/apr-1", turn: ["alice"], eligible: ["alice", "bob"] },
};
const granted: Notice = { ...notice, status: "granted", answers: [], turn: [] };
const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const addresses = new Map([["alice", "alice@example.com"]]);

interface Far {
  readonly slack: SlackStandIn;
  readonly hook: WebhookStandIn;
  readonly smtp: SmtpStandIn;
  readonly http: ClosableTransport;
}
/** The other end of the simulated channel. */
class SimFar {
  told = 0;
  readonly failures: NotifyError[] = [];
}
const sim = new SimFar();

const made: { far?: Far } = {};
const far = (): Far => made.far as Far;

beforeAll(async () => {
  made.far = {
    slack: await SlackStandIn.start(),
    hook: await WebhookStandIn.start(),
    smtp: await SmtpStandIn.start(),
    http: undiciTransport({ addresses: "not_metadata" }),
  };
});
afterAll(async () => {
  await Promise.all([far().slack.stop(), far().hook.stop(), far().smtp.stop(), far().http.close()]);
});

interface Channel {
  readonly name: string;
  /** `address` is that of the other end; without one, of the stand-in. */
  readonly open: (address?: string) => Notifier;
  /** How many people were told, by what the other end has. */
  readonly told: () => number;
  readonly fail: (how: "later" | "no") => void;
}

const channels: readonly Channel[] = [
  {
    name: "sim",
    open: (address) =>
      new SimChannel((how) => {
        if (address !== undefined) return { kind: "not_delivered", detail: "refused" };
        const failure = sim.failures.shift();
        // Like Slack, it tells nobody by changing what was told.
        if (failure === undefined && how !== "update") sim.told += 1;
        return failure;
      }),
    told: () => sim.told,
    fail: (how) =>
      sim.failures.push(
        how === "later"
          ? { kind: "not_delivered", detail: "later" }
          : { kind: "refused", detail: "it answered with status 404" },
      ),
  },
  {
    name: "slack",
    open: (apiUrl = far().slack.apiUrl) => {
      const api = new SlackApi({ apiUrl, botToken: () => far().slack.botToken }, recordingLog());
      return slackNotifier({ api, to: "C0PAY", members: new Map([["alice", "U0ALICE"]]) });
    },
    told: () => far().slack.messages.length,
    fail: (how) =>
      far().slack.failures.push(
        how === "later" ? { status: 429, retryAfter: 3 } : { status: 200, error: "is_archived" },
      ),
  },
  {
    name: "teams",
    open: (url = far().hook.url) =>
      teamsNotifier({ http: far().http, url: () => url, answersInWords: true }),
    told: () => far().hook.posted.length,
    fail: (how) =>
      far().hook.failures.push(how === "later" ? { status: 429, retryAfter: 3 } : { status: 404 }),
  },
  {
    name: "webhook",
    open: (url = far().hook.url) => {
      const how = { http: far().http, clock: systemClock, url, secret: () => secret };
      return webhookNotifier({ ...how, source: "https://approve.test" });
    },
    told: () => far().hook.posted.length,
    fail: (how) =>
      far().hook.failures.push(how === "later" ? { status: 429, retryAfter: 3 } : { status: 410 }),
  },
  {
    name: "email",
    open: (url = far().smtp.url) => {
      const smtp = (): string => url.replace(/^http:/, "smtp:");
      return emailNotifier({ smtp, from: "holdfast@example.com", to: undefined, addresses });
    },
    told: () => far().smtp.mails.length,
    fail: (how) => far().smtp.failures.push(how === "later" ? 451 : 554),
  },
];

describe.each(channels)("$name", ({ name, open, told, fail }) => {
  test("tells, changes or tells how it ended, and reminds; each place is that of the next call", async () => {
    const channel = open();
    const before = told();
    const delivered = await channel.deliver(notice);
    if (!delivered.ok) throw new Error(JSON.stringify(delivered.error));
    expect(told()).toBe(before + 1);
    const place = JSON.parse(JSON.stringify(delivered.value));
    const reminded = await channel.remind(place, notice);
    if (!reminded.ok) throw new Error(JSON.stringify(reminded.error));
    expect(told()).toBe(before + 2);
    const updated = await channel.update(reminded.value, granted);
    expect(updated).toMatchObject({ ok: true });
    const after = told();
    expect(after).toBeLessThanOrEqual(before + 3);
    // Said once: the same state again is no news. A webhook's receiver tells by the id.
    if (updated.ok) await channel.update(updated.value, granted);
    if (name !== "webhook") expect(told()).toBe(after);
  });

  test("overdue drills are told, and told again when they were held: aloud, and once", async () => {
    const channel = open();
    const before = told();
    const drills: Notice = { ...notice, kind: "drills", body: null, answers: [], turn: [] };
    const delivered = await channel.deliver({ ...drills, eligible: [] });
    if (!delivered.ok) throw new Error(JSON.stringify(delivered.error));
    expect(told()).toBe(before + 1);
    const held: Notice = { ...drills, status: "over", title: "held", eligible: [] };
    const updated = await channel.update(delivered.value, held);
    if (!updated.ok) throw new Error(JSON.stringify(updated.error));
    if (name === "sim") return;
    expect(told()).toBe(before + 2);
    await channel.update(updated.value, held);
    if (name !== "webhook") expect(told()).toBe(before + 2);
  });

  test("where nobody listens nothing was delivered", async () => {
    const gone = await WebhookStandIn.start();
    const { origin } = new URL(gone.url);
    await gone.stop();
    const sent = await open(`${origin}/`).deliver(notice);
    expect(sent).toMatchObject({ ok: false, error: { kind: "not_delivered" } });
  });

  test("who is asked to come later says so; a no is a refusal, and says why", async () => {
    const before = told();
    fail("later");
    expect(await open().deliver(notice)).toMatchObject({
      ok: false,
      error: { kind: "not_delivered" },
    });
    fail("no");
    const refused = await open().deliver(notice);
    expect(refused).toMatchObject({ ok: false, error: { kind: "refused" } });
    expect(refused.ok ? "" : refused.error.detail).toMatch(/archived|404|410|554/);
    expect(told()).toBe(before);
  });
});
