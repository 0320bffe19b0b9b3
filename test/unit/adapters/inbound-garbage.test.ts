/** What comes in by a channel, signed well and made of anything: answered, never thrown at, and nobody's vote. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  SlackApi,
  SlackInteractions,
  slackInteractivity,
} from "../../../src/adapters/slack/index.ts";
import { teamsOutgoingWebhook } from "../../../src/adapters/teams/index.ts";
import { webhookDecisions } from "../../../src/adapters/webhook/index.ts";
import { ApprovalDesk, ChatAnswers, outsideName } from "../../../src/control/index.ts";
import type { FrontFace, FrontRequest } from "../../../src/gateway/index.ts";
import { Random, recordingLog, simEntropy } from "../../../src/sim/index.ts";
import { NoticesWorld, people } from "../control/notices/notices-world.ts";

const key = Buffer.alloc(32, 5);
const secret = `whsec_${key.toString("base64")}`;

function started() {
  const world = new NoticesWorld();
  const { clock, state, log } = world;
  const desk = new ApprovalDesk({ state, clock, entropy: simEntropy(new Random(1)) });
  const [alice] = people;
  const approvers = new Map(
    ["slack U0ALICE", "teams a-1", "id alice"].flatMap((name) => {
      const [kind, own] = name.split(" ") as ["slack" | "teams" | "id", string];
      return alice === undefined ? [] : [[outsideName(kind, own), alice] as const];
    }),
  );
  const answers = new ChatAnswers({ state, desk, approvers, pageUrl: "https://approve.test" });
  // Nobody listens there: what would be said in Slack is lost.
  const api = new SlackApi({ apiUrl: "http://127.0.0.1:1/", botToken: () => "x" }, recordingLog());
  const interactions = new SlackInteractions({ answers, api, clock, log, team: undefined });
  const slack = slackInteractivity({ signingSecret: () => "s", answers, interactions, log });
  const teams = teamsOutgoingWebhook({
    ...{ channel: "t", token: () => key.toString("base64"), answers, log },
  });
  const webhook = webhookDecisions({
    ...{ channel: "w", secret: () => secret, decidesFor: new Set(["alice"]), answers, log },
  });
  return { world, slack, teams, webhook };
}

function request(body: string, headers: Record<string, string>): FrontRequest {
  return {
    ...{ method: "POST", path: "/", query: "", body: Buffer.from(body) },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    signal: new AbortController().signal,
  };
}

let made = 0;
const signers: Readonly<Record<string, (text: string, nowMs: number) => FrontRequest>> = {
  slack(text, nowMs) {
    const body = `payload=${encodeURIComponent(text)}`;
    const time = String(Math.floor(nowMs / 1_000));
    const hmac = createHmac("sha256", "s").update(`v0:${time}:${body}`).digest("hex");
    return request(body, { "x-slack-signature": `v0=${hmac}`, "x-slack-request-timestamp": time });
  },
  teams(text) {
    const hmac = createHmac("sha256", key).update(text).digest("base64");
    return request(text, { authorization: `HMAC ${hmac}` });
  },
  webhook(text, nowMs) {
    made += 1;
    const [id, time] = [`msg_${made}`, String(Math.floor(nowMs / 1_000))];
    const hmac = createHmac("sha256", key).update(`${id}.${time}.${text}`).digest("base64");
    return request(text, {
      ...{ "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,${hmac}` },
    });
  },
};

/** Names and values that mean something to one of the faces, in any arrangement. */
const words = fc.constantFrom(
  ...[
    "block_actions",
    "view_submission",
    "holdfast_approve",
    "holdfast_answer",
    "approve",
    "alice",
    "U0ALICE",
  ],
  ...[
    "a-1",
    "apr-0001",
    "sha256:1",
    '[["apr-0001",1,"sha256:1"]]',
    "2026-01-01T12:00:00Z",
    "because",
  ],
);
const names = fc.constantFrom(
  ...[
    "type",
    "user",
    "id",
    "actions",
    "action_id",
    "value",
    "view",
    "callback_id",
    "private_metadata",
    "state",
  ],
  ...[
    "values",
    "team",
    "channel",
    "from",
    "aadObjectId",
    "text",
    "timestamp",
    "approver",
    "verdict",
    "reason",
  ],
  ...["answers", "approval_id", "version", "args_digest", "holdfast_reason"],
);
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 5 },
    words,
    fc.integer({ min: -2, max: 3 }),
    fc.constantFrom(null, true, ""),
    fc.array(tie("anything"), { maxLength: 3 }),
    fc.dictionary(names, tie("anything"), { maxKeys: 8 }),
  ),
}));

test.each(Object.keys(signers))("%s", async (name) => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        anything.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      async (text) => {
        const faces = started();
        const face = faces[name as "slack"] as FrontFace;
        const { id } = await faces.world.ask();
        const signed = signers[name]?.(text, faces.world.clock.wallMs());
        if (signed === undefined) throw new Error(name);
        const answer = face(signed);
        // A slow store is answered for; here time stands still until it is moved.
        await faces.world.clock.advance(3_000);
        expect([200, 400, 401, 403, 409]).toContain((await answer).status);
        expect(await faces.world.stored(id)).toMatchObject({ state: "pending", version: 1 });
      },
    ),
    { numRuns: 300 },
  );
});
