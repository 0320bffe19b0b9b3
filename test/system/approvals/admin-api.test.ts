/** The admin API of a running control process: every operation, every answer checked against the document it serves. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newestKey, unrecordedPrefix } from "../../../src/approvals/index.ts";
import { type ReadWorld, readTools } from "../../../src/cli/index.ts";
import { adminDocument } from "../../../src/control/admin/index.ts";
import { ModelLog } from "../../../src/control/index.ts";
import { digestOf } from "../../../src/kernel/index.ts";
import { change, edge } from "../../fixtures/model-events.ts";
import { ApprovalsWorld, aliceToken, bobToken, readerToken } from "./approvals-world.ts";
import { DescribedApi } from "./described-api.ts";

const made: { world?: ApprovalsWorld; api?: DescribedApi } = {};
const world = (): ApprovalsWorld => made.world as ApprovalsWorld;
const api = (): DescribedApi => made.api as DescribedApi;

beforeAll(async () => {
  made.world = await ApprovalsWorld.start();
  made.api = await DescribedApi.of(made.world.url);
});
afterAll(() => made.world?.close());

const yes = { verdict: "approve", reason: "invoice 4711 is paid" };

test("the document that is served is the one in schemas/ (node tools/admin-openapi.ts writes it)", () => {
  const stored = JSON.parse(readFileSync("schemas/admin.openapi.json", "utf8"));
  expect(stored).toEqual(adminDocument(readTools({} as ReadWorld)));
  expect(api().document).toEqual(stored);
});

test("an approval is read, voted on once, and granted in the store that gateways read", async () => {
  const { id } = await world().ask();
  const read = await api().ask("GET", `/v1/approvals/${id}`, { token: aliceToken });
  expect(read.headers.get("etag")).toBe('"1"');
  expect(read.body).toMatchObject({ state: "pending", missing: 1, votes: [], grant: null });
  const body = { ...yes, args_digest: read.body.args_digest };
  const headers = { "if-match": read.headers.get("etag") ?? "" };
  const path = `/v1/approvals/${id}/votes`;
  const voted = await api().ask("POST", path, { token: aliceToken, body, headers });
  expect(voted.status).toBe(200);
  expect(voted.headers.get("etag")).toBe('"2"');
  expect(voted.body).toMatchObject({
    ...{ state: "granted", missing: 0 },
    votes: [{ approver: "alice", verdict: "approve", channel: "api", reason: yes.reason }],
  });
  const stored = await world().stored(id);
  expect(stored?.grant?.jti).toMatch(/^[\da-f]{32}$/);
  expect(JSON.stringify(voted.body)).not.toContain(stored?.grant?.jti);

  const again = await api().ask("POST", path, { token: aliceToken, body, headers });
  expect([again.status, again.body.version]).toEqual([200, 2]);
  expect((await world().stored(id))?.votes).toHaveLength(1);
  const otherwise = { ...body, verdict: "decline" };
  expect(await api().ask("POST", path, { token: aliceToken, body: otherwise })).toMatchObject({
    ...{ status: 409, body: { code: "closed" } },
  });
});

test("votes that may not count are refused by name, and change nothing", async () => {
  const own = await world().ask({ principal: "alice@example.com" });
  const { id } = await world().ask();
  const vote = (at: string, token: string, more: object = {}): ReturnType<DescribedApi["ask"]> =>
    api().ask("POST", `/v1/approvals/${at}/votes`, { token, body: { ...yes, ...more } });
  const refusals = [
    [await vote(own.id, aliceToken), 403, "own_request"],
    [await vote(id, readerToken), 403, "not_asked"],
    [await vote(id, aliceToken, { args_digest: "sha256:other" }), 409, "other_arguments"],
    [await vote(id, aliceToken, { reason: "   " }), 422, "reason_missing"],
    [await vote("apr-none", aliceToken), 404, "not_found"],
    [await vote("..%2Fescrow", aliceToken), 404, "not_found"],
    [await vote((await world().ask({}, -1)).id, aliceToken), 409, "closed"],
  ] as const;
  for (const [answer, status, code] of refusals)
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  for (const each of [own.id, id]) expect((await world().stored(each))?.version).toBe(1);
});

test("of many who answer at once each is heard once, and what was seen in between is refused as changed", async () => {
  const two = [{ groups: ["payments-leads"], count: 2 }];
  const { id } = await world().ask({ requirements: two });
  const path = `/v1/approvals/${id}/votes`;
  const headers = { "if-match": '"1"' };
  const answers = await Promise.all(
    [aliceToken, bobToken, aliceToken].map((token) =>
      api().ask("POST", path, { token, body: yes, headers }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 412]);
  expect((await world().stored(id))?.votes).toHaveLength(1);
  await api().ask("POST", path, { token: aliceToken, body: yes });
  await api().ask("POST", path, { token: bobToken, body: yes });
  const stored = await world().stored(id);
  expect(stored?.state).toBe("granted");
  expect(stored?.votes.map(({ approver }) => approver).sort()).toEqual(["alice", "bob"]);
});

test("a grant is taken back by who may answer, until it is used", async () => {
  const { id } = await world().ask();
  await api().ask("POST", `/v1/approvals/${id}/votes`, { token: bobToken, body: yes });
  const path = `/v1/approvals/${id}/revoke`;
  const body = { reason: "wrong account" };
  expect((await api().ask("POST", path, { token: readerToken, body })).status).toBe(403);
  const stale = await api().ask("POST", path, {
    ...{ token: aliceToken, body, headers: { "if-match": '"1"' } },
  });
  expect(stale.status).toBe(412);
  const revoked = await api().ask("POST", path, { token: aliceToken, body });
  expect(revoked.body).toMatchObject({
    ...{ state: "revoked", closed_because: "revoked by alice: wrong account" },
  });
  expect(await api().ask("POST", path, { token: aliceToken, body })).toMatchObject({
    ...{ status: 409, body: { code: "closed" } },
  });
});

test("other arguments are proposed: the question is declined, and a new one has this approver's yes", async () => {
  const args = { body: { amount: 75_000, currency: "EUR" } };
  const all = { args_redacted: args, args_digest: digestOf(args) };
  const { id } = await world().ask(all);
  const path = `/v1/approvals/${id}/edit`;
  const less = { body: { amount: 500, currency: "EUR" } };
  const body = { args: less, reason: "the rest next month" };
  const propose = (at: string, sent: object): ReturnType<DescribedApi["ask"]> =>
    api().ask("POST", at, { token: aliceToken, body: sent });
  const hidden = await world().ask();
  const own = await world().ask({ ...all, principal: "alice@example.com" });
  for (const [answer, status, code] of [
    [await propose(`/v1/approvals/${hidden.id}/edit`, body), 422, "not_all_shown"],
    [await propose(`/v1/approvals/${own.id}/edit`, body), 403, "own_request"],
    [await propose(path, { ...body, args }), 422, "same_arguments"],
    [await propose(path, { ...body, args: [1] }), 400, "invalid_body"],
  ] as const)
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  const { declined, instead } = (await propose(path, body)).body;
  const superseded_by = { id: instead.id, args: less };
  expect(declined).toMatchObject({ id, state: "declined", superseded_by });
  expect(instead).toMatchObject({
    ...{ state: "granted", args_redacted: less, args_digest: digestOf(less) },
    votes: [{ approver: "alice", verdict: "approve", reason: body.reason }],
  });
  const newest = newestKey(instead);
  const unrecorded = `${unrecordedPrefix("gateway")}${instead.id}`;
  const read = await world().state.read([newest, unrecorded]);
  expect(read.ok && Object.fromEntries(read.value)).toEqual({
    [newest]: { id: instead.id },
    [unrecorded]: { state: "pending" },
  });
  const again = await world().ask(all);
  expect(await propose(`/v1/approvals/${again.id}/edit`, body)).toMatchObject({
    ...{ status: 409, body: { code: "asked_already" } },
  });
  expect((await world().stored(again.id))?.state).toBe("pending");
});

test("questions of low risk are answered together, all or none, each for its own arguments", async () => {
  const low = { risk: "low", batch: true } as const;
  const [a, b] = [
    await world().ask({ ...low, args_digest: "sha256:a" }),
    await world().ask({ ...low, args_digest: "sha256:b" }),
  ];
  const critical = await world().ask({ risk: "critical", args_digest: "sha256:c" });
  const named = (...each: readonly { id: string; args_digest: string }[]): object => ({
    ...yes,
    approvals: each.map(({ id, args_digest }) => ({ id, args_digest })),
  });
  const vote = (body: object): ReturnType<DescribedApi["ask"]> =>
    api().ask("POST", "/v1/approvals/votes", { token: aliceToken, body });
  const swapped = { ...a, args_digest: b.args_digest };
  for (const [body, status, code] of [
    [named(a, critical), 422, "not_together"],
    [named(a, a), 422, "not_together"],
    [named(b, swapped), 409, "other_arguments"],
    [named(a, { ...b, id: "apr-none" }), 404, "not_found"],
  ] as const)
    expect(await vote(body)).toMatchObject({ status, body: { code } });
  for (const { id } of [a, b, critical]) expect((await world().stored(id))?.state).toBe("pending");
  const voted = await vote(named(a, b));
  expect(voted.body.approvals).toMatchObject([{ state: "granted" }, { state: "granted" }]);
});

test("approvals are listed by state, in pages", async () => {
  const asked = [await world().ask(), await world().ask(), await world().ask()];
  const found: string[] = [];
  for (let after = "", pages = 0; pages < 20; pages += 1) {
    const path = `/v1/approvals?state=pending&limit=2${after && `&after=${after}`}`;
    const { body } = await api().ask("GET", path, { token: readerToken });
    expect(body.approvals.length).toBeLessThanOrEqual(2);
    found.push(...body.approvals.map(({ id }: { id: string }) => id));
    after = body.next ?? "";
    if (after === "") break;
  }
  expect(found).toEqual(expect.arrayContaining(asked.map(({ id }) => id)));
  expect(new Set(found).size).toBe(found.length);
  const { body } = await api().ask("GET", "/v1/approvals?state=revoked", { token: readerToken });
  expect(body.approvals.map(({ state }: { state: string }) => state)).toEqual(["revoked"]);
});

test("the kill switch is thrown and lifted by members of its groups alone", async () => {
  const body = { scope: { tool: "payments:POST /payments" }, reason: "runaway" };
  expect((await api().ask("POST", "/v1/kill", { token: bobToken, body })).status).toBe(403);
  const thrown = await api().ask("POST", "/v1/kill", { token: aliceToken, body });
  expect(thrown).toMatchObject({
    status: 201,
    body: { switches: [{ mode: "pause", by: "alice" }] },
  });
  const [{ id }] = thrown.body.switches;
  const path = `/v1/kill/${id}`;
  expect((await api().ask("GET", "/v1/kill", { token: readerToken })).body).toEqual(thrown.body);
  expect((await api().ask("DELETE", path, { token: bobToken })).status).toBe(403);
  const lifted = await api().ask("DELETE", path, { token: aliceToken });
  expect(lifted.body).toEqual({ serial: thrown.body.serial + 1, switches: [] });
  expect((await api().ask("DELETE", path, { token: aliceToken })).status).toBe(404);
});

test("who asks is told who they are; who proves nothing is told what to send", async () => {
  expect((await api().ask("GET", "/v1/me", { token: aliceToken })).body).toEqual({
    ...{ id: "alice", name: "Alice Example", groups: ["payments-leads", "sre"], may_stop: true },
  });
  const nobody = await api().ask("GET", "/v1/me");
  expect([nobody.status, nobody.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  const wrong = await api().ask("GET", "/v1/me", { token: `${aliceToken}x` });
  expect(wrong.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
});

const idOfNone = "apr-none";
const malformed: readonly (readonly [string, string, string, object, number, string])[] = [
  ["unknown parameter", "GET", "/v1/approvals?stat=pending", {}, 400, "invalid_parameter"],
  ["unknown state", "GET", "/v1/approvals?state=open", {}, 400, "invalid_parameter"],
  ["parameter twice", "GET", "/v1/approvals?limit=1&limit=2", {}, 400, "invalid_parameter"],
  ["limit", "GET", "/v1/approvals?limit=101", {}, 400, "invalid_parameter"],
  [
    "no body",
    "POST",
    "/v1/kill",
    { headers: { "content-type": "application/json" } },
    400,
    "invalid_body",
  ],
  [
    "a form",
    "POST",
    "/v1/kill",
    { headers: { "content-type": "text/plain" }, body: "{}" },
    415,
    "wrong_type",
  ],
  [
    "unknown member",
    "POST",
    "/v1/kill",
    { body: { scope: {}, reason: "r", all: true } },
    400,
    "invalid_body",
  ],
  [
    "unknown scope",
    "POST",
    "/v1/kill",
    { body: { scope: { agnet: "x" }, reason: "r" } },
    400,
    "invalid_body",
  ],
  [
    "an escrow",
    "POST",
    "/v1/kill",
    { body: { mode: "escrow", scope: {}, reason: "r" } },
    400,
    "invalid_body",
  ],
  [
    "a key twice",
    "POST",
    "/v1/kill",
    { body: '{"scope":{},"scope":{},"reason":"r"}' },
    400,
    "invalid_body",
  ],
  [
    "verdict",
    "POST",
    `/v1/approvals/${idOfNone}/votes`,
    { body: { verdict: "yes", reason: "r" } },
    400,
    "invalid_body",
  ],
  [
    "no reason",
    "POST",
    `/v1/approvals/${idOfNone}/votes`,
    { body: { verdict: "approve" } },
    400,
    "invalid_body",
  ],
  [
    "large",
    "POST",
    "/v1/kill",
    { body: { scope: {}, reason: "r".repeat(70_000) } },
    413,
    "too_large",
  ],
  [
    "tag",
    "POST",
    `/v1/approvals/${idOfNone}/votes`,
    { body: yes, headers: { "if-match": "1" } },
    400,
    "invalid_header",
  ],
  ["method", "PUT", "/v1/kill", {}, 405, "wrong_method"],
  ["deciding by GET", "GET", `/v1/approvals/${idOfNone}/votes`, {}, 405, "wrong_method"],
  ["path", "GET", "/v1/approval", {}, 404, "no_route"],
];

for (const [name, method, path, asking, status, code] of malformed)
  test(`refused: ${name}`, async () => {
    const answer = await api().ask(method, path, { token: aliceToken, ...asking });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.detail).toMatch(/\w/);
  });

test("the model is asked over HTTP as over MCP; who nobody knows is 422, and an approver is needed", async () => {
  const now = Date.now();
  const events = [edge(now, "service:web", "service:cart"), change(now, "d1", ["service:cart"])];
  const log = new ModelLog(world().state);
  expect(await log.write({ id: "told", source: "test", events })).toMatchObject({ ok: true });
  const ask = (question: string, body: object, token = readerToken) =>
    api().ask("POST", `/v1/model/${question}`, { token, body });
  expect((await ask("why", { symptom: "cart errors" })).body).toMatchObject({
    symptom: { node: "service:cart", signal: "errors" },
  });
  expect(await ask("impact", { what: "cart", change: "deploy" })).toMatchObject({
    status: 200,
    body: {
      feelings: [
        { service: "service:cart", relation: "self", learnedFrom: [] },
        { service: "service:web", relation: "waits", learnedFrom: [] },
      ],
      likely: ["service:cart", "service:web"],
    },
  });
  expect((await ask("as_of", { node: "cart" })).body).toMatchObject({ node: "service:cart" });
  expect((await ask("neighbours", { node: "cart" })).body.neighbours).toMatchObject([
    { node: "service:web" },
  ]);
  expect((await ask("history", { node: "cart" })).body.events).toHaveLength(1);
  expect(await ask("as_of", { node: "nobody" })).toMatchObject({
    ...{
      status: 422,
      body: { code: "no_answer", detail: expect.stringContaining("nothing named `nobody`") },
    },
  });
  expect((await ask("why", { symptom: "cart" }, "no-token")).status).toBe(401);
});

test("every operation was seen to do what it is for", () => {
  const succeeded = [...api().seen].filter((each) => / 20\d$/.test(each));
  expect(succeeded.map((each) => each.split(" ")[0]).sort()).toEqual([...api().operations].sort());
});

test("one who asks without end is told to wait, and nobody else is", async () => {
  const ask = (token: string): Promise<number> =>
    api()
      .ask("GET", "/v1/me", { token })
      .then(({ status }) => status);
  let last = 200;
  for (let i = 0; i < 400 && last === 200; i += 1) last = await ask(readerToken);
  expect(last).toBe(429);
  expect(await ask(bobToken)).toBe(200);
});
