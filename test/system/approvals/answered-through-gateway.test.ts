/** An approver's answer at the admin API of one process, and what the agent gets of it from another. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, ask, until, type World, world } from "../product/harness.ts";
import { aliceToken } from "./approvals-world.ts";

const policy = `
policy: heavy
rules:
  - id: heavy
    match: { tools: "desk:POST /items" }
    when: args.body.weight > 10
    outcome: approval_needed
    reason: Over ten needs a person
`;
const made: { world?: World } = {};
const here = (): World => made.world as World;

beforeAll(async () => {
  const config = `approvals: { hold_seconds: 1, approvers: [{ id: alice, token: ${aliceToken} }] }`;
  made.world = await world({ config });
  made.world.policy("heavy.yaml", policy);
  await made.world.both();
});
afterAll(() => made.world?.close());

const put = (weight: number): Promise<Answer> =>
  here().http("POST", "/http/desk/items", { weight });

async function admin(path: string, body?: unknown): Promise<Answer> {
  return await ask(`${here().controlUrl}${path}`, {
    headers: { authorization: `Bearer ${aliceToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
}

const weights = (): unknown[] =>
  here()
    .desk.seen.filter(({ method }) => method === "POST")
    .map(({ body }) => JSON.parse(body));

test("a yes at the admin API lets the same call through, once, and the log says whose it was", async () => {
  const asked = await put(20);
  expect(asked.body).toMatchObject({ approval_id: expect.stringMatching(/^apr-/) });
  const id = String(asked.body["approval_id"]);
  const voted = await admin(`/v1/approvals/${id}/votes`, { verdict: "approve", reason: "known" });
  expect(voted.body["state"]).toBe("granted");
  expect((await put(20)).status).toBe(200);
  expect(weights()).toEqual([{ weight: 20 }]);
  expect((await put(20)).body["approval_id"]).not.toBe(id);
  await until("the vote in the log", async () =>
    here()
      .entries()
      .find((entry) => entry["approval_id"] === id && entry["state"] === "granted"),
  );
});

test("with other arguments instead, the agent is told which, and those go through once", async () => {
  const asked = await put(99);
  const id = String(asked.body["approval_id"]);
  const { body: shown } = await admin(`/v1/approvals/${id}`);
  const args = shown["args_redacted"] as { body: object };
  const less = { ...args, body: { weight: 12 } };
  const edited = await admin(`/v1/approvals/${id}/edit`, { args: less, reason: "too heavy" });
  expect(edited.status).toBe(200);
  const told = await put(99);
  expect(told.status).toBe(403);
  const said = JSON.stringify(told.body);
  expect(said).toContain("too heavy");
  expect(said).toContain(JSON.stringify(JSON.stringify(less)).slice(1, -1));
  expect((await here().http("GET", `/approvals/${id}`)).body).toMatchObject({
    ...{ state: "declined", superseded_by: { args: less } },
  });
  expect((await put(12)).status).toBe(200);
  expect(weights()).toEqual([{ weight: 20 }, { weight: 12 }]);
  expect((await put(12)).body).toMatchObject({ approval_id: expect.stringMatching(/^apr-/) });
});

test("what was proposed, policy may have come to forbid: then nobody's yes counts", async () => {
  const asked = await put(50);
  const id = String(asked.body["approval_id"]);
  const { body: shown } = await admin(`/v1/approvals/${id}`);
  const args = { ...(shown["args_redacted"] as object), body: { weight: 13 } };
  await admin(`/v1/approvals/${id}/edit`, { args, reason: "less" });
  const policyVersion = async (): Promise<unknown> =>
    (await ask(`${here().gatewayUrl}/readyz`)).body["policy_version"];
  const before = await policyVersion();
  here().policy(
    "heavy.yaml",
    `${policy}  - { id: never, match: { tools: "desk:POST /items" }, outcome: deny, reason: not any more }\n`,
  );
  await until("the new policy", async () =>
    (await policyVersion()) === before ? undefined : true,
  );
  expect((await put(13)).status).toBe(403);
  expect(weights()).toHaveLength(2);
});
