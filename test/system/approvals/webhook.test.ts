/** A generic webhook: what is sent is judged by the libraries of the two standards; what comes back counts once. */
import { type CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Posted, WebhookStandIn } from "../../fixtures/webhook-stand-in.ts";
import { until } from "../product/harness.ts";
import { ChannelsWorld } from "./channels-world.ts";

const secretOut = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const secretBack = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const made: { world?: ChannelsWorld; hook?: WebhookStandIn } = {};
const world = (): ChannelsWorld => made.world as ChannelsWorld;
const hook = (): WebhookStandIn => made.hook as WebhookStandIn;

interface Data {
  readonly status: string;
  readonly link: string;
  readonly answers: readonly object[];
}

beforeAll(async () => {
  made.hook = await WebhookStandIn.start();
  made.world = await ChannelsWorld.start(`
  channels:
    pager:
      webhook:
        url: ${hook().url}
        secret: ${secretOut}
        decision_secret: ${secretBack}
        decides_for: [alice, carol, rita]
`);
});
afterAll(async () => {
  await made.world?.close();
  await made.hook?.stop();
});

/** The event of this type about this approval, verified by both libraries. */
async function event(id: string, type: string): Promise<CloudEvent<Data>> {
  return await until(`${type} of ${id}`, async () => {
    const found = hook().posted.find(({ body }) => {
      const { subject, type: own } = JSON.parse(body) as { subject: string; type: string };
      return subject === id && own === type;
    });
    return found && judged(found);
  });
}

function judged({ headers, body }: Posted): CloudEvent<Data> {
  new Webhook(secretOut).verify(body, headers as Record<string, string>);
  const cloudEvent = HTTP.toEvent({ headers, body }) as CloudEvent<Data>;
  expect(cloudEvent.validate()).toBe(true);
  expect(headers["webhook-id"]).toBe(cloudEvent.id);
  return cloudEvent;
}

interface Sending {
  readonly id?: string;
  readonly at?: Date;
  readonly secret?: string;
  readonly altered?: (body: string) => string;
}

let sent = 0;
async function decide(
  decision: object,
  { id, at = new Date(), secret = secretBack, altered }: Sending = {},
) {
  sent += 1;
  const name = id ?? `msg_${sent}`;
  const body = JSON.stringify(decision);
  const headers = {
    "content-type": "application/json",
    "webhook-id": name,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(name, at, body),
  };
  const response = await fetch(`${world().url}/hooks/pager`, {
    ...{ method: "POST", headers, body: altered === undefined ? body : altered(body) },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const yes = { approver: "alice", verdict: "approve", reason: "on the list" };

test("asked, told, decided elsewhere, granted, and told what became of it", async () => {
  const { id } = await world().ask();
  const asked = await event(id, "io.holdfast.approval.asked");
  expect(asked).toMatchObject({
    source: world().url,
    data: {
      ...{ kind: "question", status: "open", link: `${world().url}/approvals/${id}` },
      answers: [{ approval_id: id, version: 1, args_digest: `sha256:${"1".repeat(64)}` }],
    },
  });
  const answered = await decide({ ...yes, answers: asked.data?.answers });
  expect(answered).toEqual({
    status: 200,
    body: { approvals: [{ id, state: "granted", version: 2 }] },
  });
  expect((await world().stored(id))?.votes).toMatchObject([
    { approver: "alice", channel: "webhook", reason: "on the list" },
  ]);
  expect((await event(id, "io.holdfast.approval.granted")).data).toMatchObject({ answers: [] });
});

test("what does not count changes nothing", async () => {
  const { id } = await world().ask();
  const { data } = await event(id, "io.holdfast.approval.asked");
  const answers = data?.answers;
  const old = new Date(Date.now() - 400_000);
  const cases = [
    [await decide({ ...yes, answers }, { secret: secretOut }), 401],
    [await decide({ ...yes, answers }, { at: old }), 401],
    [await decide({ ...yes, answers }, { altered: (body) => body.replace("alice", "carol") }), 401],
    [await decide({ ...yes, approver: "bob", answers }), 403],
    [await decide({ ...yes, approver: "nobody", answers }), 403],
    // Carol is whom the agent acts for, Rita is in none of the groups.
    [await decide({ ...yes, approver: "carol", answers }), 409],
    [await decide({ ...yes, approver: "rita", answers }), 409],
    [await decide({ ...yes, reason: " ", answers }), 409],
    [await decide({ ...yes, answers: [{ ...answers?.[0], version: 7 }] }), 409],
    [await decide({ ...yes, answers: [{ ...answers?.[0], args_digest: "sha256:0" }] }), 409],
    [await decide({ ...yes, verdict: "maybe", answers }), 400],
    [await decide({ ...yes, answers: [] }), 400],
  ] as const;
  expect(cases.map(([{ status }]) => status)).toEqual(cases.map(([, status]) => status));
  expect(await world().stored(id)).toMatchObject({ state: "pending", version: 1 });
  const get = await fetch(`${world().url}/hooks/pager`);
  expect(get.status).toBe(405);
});

test("a decision that comes twice counts once", async () => {
  const { id } = await world().ask();
  const { data } = await event(id, "io.holdfast.approval.asked");
  const decision = { ...yes, verdict: "decline", answers: data?.answers };
  const twice = await Promise.all([
    decide(decision, { id: "msg_x" }),
    decide(decision, { id: "msg_x" }),
  ]);
  expect(twice.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(await world().stored(id)).toMatchObject({ state: "declined", version: 2 });
  await event(id, "io.holdfast.approval.declined");
});

test("a try that failed is repeated by the same id, and after as long as it was asked", async () => {
  hook().failures.push({ status: 503 }, { status: 429, retryAfter: 2 });
  const { id } = await world().ask();
  await event(id, "io.holdfast.approval.asked");
  expect(hook().failures).toEqual([]);
  const ids = [...hook().refused, ...hook().posted]
    .filter(({ body }) => body.includes(`"${id}"`))
    .map(({ headers }) => headers["webhook-id"]);
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
  await until("the status is well again", async () => {
    const { notices } = (await world().status()).body as {
      notices: { channels: { waiting: number }[] };
    };
    return notices.channels[0]?.waiting === 0 ? true : undefined;
  });
});
