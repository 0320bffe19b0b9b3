/** Access tokens of a real provider at the admin API: made for it, by a client that speaks for people, and for nothing else. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PlainBrowser } from "../../fixtures/plain-browser.ts";
import { ApprovalsWorld, secret } from "./approvals-world.ts";
import { type Answer, DescribedApi } from "./described-api.ts";

const made: { world?: ApprovalsWorld; api?: DescribedApi } = {};
const world = (): ApprovalsWorld => made.world as ApprovalsWorld;

beforeAll(async () => {
  made.world = await ApprovalsWorld.start();
  made.api = await DescribedApi.of(made.world.url);
});
afterAll(() => made.world?.close());

async function tokenFor(body: Readonly<Record<string, string>>, basic = ""): Promise<string> {
  const authorization = `Basic ${Buffer.from(basic).toString("base64")}`;
  const answered = await fetch(`${world().provider.issuer}/token`, {
    method: "POST",
    headers: basic === "" ? {} : { authorization },
    body: new URLSearchParams(body),
  });
  const { access_token: token, ...rest } = (await answered.json()) as { access_token?: string };
  if (token === undefined) throw new Error(JSON.stringify(rest));
  return token;
}

/** What a program of this client gets when this person signs in to it. */
async function personToken(subject: string, client: string): Promise<string> {
  world().provider.person = subject;
  const verifier = randomBytes(32).toString("base64url");
  const back = `${world().url}/openapi.json`;
  const query = new URLSearchParams({
    ...{ client_id: client, response_type: "code", scope: "openid", redirect_uri: back },
    ...{ resource: world().url, code_challenge_method: "S256" },
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  });
  const { url } = await new PlainBrowser().get(`${world().provider.issuer}/auth?${query}`);
  const code = new URL(url).searchParams.get("code") ?? "";
  return await tokenFor({
    ...{ grant_type: "authorization_code", code, code_verifier: verifier, client_id: client },
    ...{ redirect_uri: back, resource: world().url },
  });
}

const agentToken = (): Promise<string> =>
  tokenFor({ grant_type: "client_credentials", resource: world().url }, `review-bot:${secret}`);

const me = (token: string): Promise<Answer> =>
  (made.api as DescribedApi).ask("GET", "/v1/me", { token });
const vote = (id: string, token: string): Promise<Answer> =>
  (made.api as DescribedApi).ask("POST", `/v1/approvals/${id}/votes`, {
    ...{ token, body: { verdict: "approve", reason: "seen" } },
  });

test("a person's token of a client that speaks for people is that approver's", async () => {
  const token = await personToken("s-alice", "holdfast-cli");
  expect((await me(token)).body).toMatchObject({ id: "alice" });
  const { id } = await world().ask();
  expect((await vote(id, token)).body).toMatchObject({ state: "granted" });
  const own = await world().ask({ principal: "s-alice" });
  expect((await vote(own.id, token)).body).toMatchObject({ code: "own_request" });
});

test("a token that another client holds for the same person does not speak for them", async () => {
  const refused = await me(await personToken("s-alice", "other-app"));
  expect([refused.status, refused.body.code]).toEqual([403, "no_approver"]);
  expect(refused.body.detail).toContain("approvals.oidc.api_clients");
});

test("a person's token that came through an agent is not the person's answer", async () => {
  world().provider.claims = { act: { sub: "helper-bot" } };
  const [person, agent] = [await personToken("s-alice", "holdfast-cli"), await agentToken()];
  world().provider.claims = {};
  expect((await me(person)).body).toMatchObject({ status: 403, code: "no_approver" });
  const { id } = await world().ask({ agent: "helper-bot" });
  expect((await vote(id, agent)).body).toMatchObject({ code: "own_request" });
});

test("somebody who is no approver is told what would make them one", async () => {
  const refused = await me(await personToken("s-stranger", "holdfast-cli"));
  expect(refused.status).toBe(403);
  expect(refused.body.detail).toContain('"s-stranger"');
});

test("an agent that approves is known by its own token, and never answers itself", async () => {
  const token = await agentToken();
  expect((await me(token)).body).toMatchObject({ id: "reviewer" });
  const { id } = await world().ask({ agent: "review-bot" });
  expect((await vote(id, token)).body).toMatchObject({ code: "own_request" });
  const through = await world().ask({ delegation: ["review-bot"] });
  expect((await vote(through.id, token)).body).toMatchObject({ code: "own_request" });
  const other = await world().ask();
  expect((await vote(other.id, token)).body).toMatchObject({ state: "granted" });
});

test("a token with a byte changed, of nobody known, or no token at all proves nothing", async () => {
  const token = await agentToken();
  const [head = "", claims = "", signature = ""] = token.split(".");
  const other = Buffer.from(JSON.stringify({ iss: "https://id.example", sub: "s-alice" }));
  for (const forged of [
    `${head}.${claims}.${signature.slice(0, -4)}AAAA`,
    `${head}.${other.toString("base64url")}.${signature}`,
    `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`,
    "hello",
  ])
    expect((await me(forged)).status).toBe(401);
});

test("while the provider is away tokens that need it wait, and others do not", async () => {
  const lonely = await ApprovalsWorld.start();
  try {
    const api = await DescribedApi.of(lonely.url);
    lonely.provider.stop();
    const claims = { iss: lonely.provider.issuer, sub: "s-alice" };
    const part = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "ES256" })}.${part(claims)}.${"A".repeat(86)}`;
    const refused = await api.ask("GET", "/v1/me", { token });
    expect([refused.status, refused.body.code]).toEqual([503, "issuer_unavailable"]);
    const at = await new PlainBrowser().get(`${lonely.url}/approvals`);
    expect([at.status, at.text.includes("Sign-in is not possible now")]).toEqual([503, true]);
  } finally {
    await lonely.close();
  }
});
