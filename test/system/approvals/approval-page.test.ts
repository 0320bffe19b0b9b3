/** The approval page of a running control process, signed in to through a real OpenID Connect provider, over HTTP. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../../../src/kernel/index.ts";
import { formIn, PlainBrowser, type Shown } from "../../fixtures/plain-browser.ts";
import { ApprovalsWorld, aliceToken } from "./approvals-world.ts";

const made: { world?: ApprovalsWorld } = {};
const world = (): ApprovalsWorld => made.world as ApprovalsWorld;
beforeAll(async () => {
  made.world = await ApprovalsWorld.start();
});
afterAll(() => made.world?.close());

const page = (path = ""): string => `${world().url}/approvals${path}`;

async function signedIn(subject: string, path = ""): Promise<{ browser: PlainBrowser; at: Shown }> {
  const browser = new PlainBrowser();
  world().provider.person = subject;
  const at = await browser.get(page(path));
  return { browser, at };
}

test("a link leads through sign-in to the approval it names, which is approved there", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-alice", `/${id}`);
  expect([at.url, at.status]).toEqual([page(`/${id}`), 200]);
  for (const text of [
    ...["desk-bot", "payments:POST /payments", "high risk", "m-1", "carol@example.com"],
    ...["Large payments need a second pair of eyes", "payments/large", "rev-7", "75000"],
    ...["first\nsecond", "[redacted]", "payments-leads", "0.0025 USD", "expires in 9 minutes"],
  ])
    expect(at.text).toContain(text);
  const after = await browser.submit(at, "Approve", { reason: "seen the invoice" });
  expect([after.url, after.status]).toEqual([page(`/${id}`), 200]);
  expect(after.text).toMatch(/alice approved<\/strong>[^<]*<span class="quiet">[^<]*by page/);
  expect(await world().stored(id)).toMatchObject({
    ...{ state: "granted", votes: [{ approver: "alice", reason: "seen the invoice" }] },
  });
  const revoked = await browser.submit(after, "Revoke", { reason: "wrong account" });
  expect(revoked.text).toContain("revoked by alice: wrong account");
});

test("every page is without script, without frames, and kept by nobody", async () => {
  const { at } = await signedIn("s-alice");
  expect(at.headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  expect(at.headers.get("cache-control")).toBe("no-store");
  expect(at.text).not.toMatch(/<script|javascript:| on\w+=| style="/i);
  const style = await new PlainBrowser().get(page("/style.css"));
  expect(style.headers.get("content-type")).toMatch(/^text\/css/);
});

test("the sign-in uses PKCE, state and nonce, and the session cookie is the browser's alone", async () => {
  world().provider.person = "s-alice";
  const begun = await fetch(page("/sign-in"), { redirect: "manual" });
  const asked = new URL(begun.headers.get("location") ?? "").searchParams;
  expect(asked.get("code_challenge_method")).toBe("S256");
  for (const name of ["state", "nonce", "code_challenge"])
    expect(asked.get(name)?.length).toBeGreaterThan(20);
  expect(begun.headers.getSetCookie()[0]).toMatch(/; HttpOnly; SameSite=Lax$/);
  const { browser } = await signedIn("s-alice");
  expect(browser.cookie(page(), "holdfast-session")).toMatch(/^[\w-]{43}$/);
  expect(browser.cookie(page(), "holdfast-sign-in")).toBeUndefined();
});

test("an answer of the provider is good once, and in the browser that began", async () => {
  const { browser } = await signedIn("s-alice");
  const answer = browser.visited.find((url) => url.includes("/signed-in?")) ?? "";
  const elsewhere = await new PlainBrowser().get(answer);
  expect(elsewhere.status).toBe(400);
  const again = new PlainBrowser();
  world().provider.person = undefined;
  await again.get(page("/sign-in"));
  const other = new PlainBrowser();
  const begun = await fetch(page("/sign-in"), { redirect: "manual" });
  const [, value = ""] =
    /holdfast-sign-in=([^;]*)/.exec(begun.headers.get("set-cookie") ?? "") ?? [];
  other.setCookie(page(), "holdfast-sign-in", value);
  const mixed = await other.get(answer);
  expect([mixed.status, other.cookie(page(), "holdfast-session")]).toEqual([401, undefined]);
});

test("who cancels at the provider is not signed in, and told so", async () => {
  world().provider.person = undefined;
  const browser = new PlainBrowser();
  const at = await browser.get(page());
  expect(at.status).toBe(401);
  expect(at.text).toContain("The sign-in was cancelled.");
});

test("nobody is led elsewhere after signing in", async () => {
  for (const to of [
    "https://evil.example/",
    "//evil.example",
    "/approvals/../v1",
    "/approvals\\evil",
  ]) {
    const { at } = await signedIn("s-alice", `/sign-in?to=${encodeURIComponent(to)}`);
    expect(at.url).toBe(page());
  }
});

test("somebody who is no approver is told which claim to have added", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-stranger", `/${id}`);
  expect(at.status).toBe(403);
  expect(at.text).toContain("oidc: { subject: &quot;s-stranger&quot; }");
  expect(at.text).toContain("stranger@example.com");
  expect(at.text).not.toContain("75000");
  const form = formIn(at, "Sign out");
  const body = new URLSearchParams({ form_token: form.body.get("form_token") ?? "" });
  for (const [name, value] of Object.entries({ verdict: "approve", reason: "r", version: "1" }))
    body.set(name, value);
  expect((await browser.send(at, { action: `/approvals/${id}`, body })).status).toBe(403);
  expect((await world().stored(id))?.votes).toEqual([]);
});

test("an address counts in any case, and only when the provider has verified it", async () => {
  expect((await signedIn("s-bob")).at.status).toBe(200);
  const { at } = await signedIn("s-mallory");
  expect(at.status).toBe(403);
  expect(at.text).toContain("has not verified");
});

test("who the request was made for does not answer it, though the form is sent all the same", async () => {
  const { id, args_digest } = await world().ask({ principal: "Alice@Example.com" });
  const { browser, at } = await signedIn("s-alice", `/${id}`);
  expect(at.text).toContain("This is your own request");
  expect(at.text).not.toContain(">Approve</button>");
  const body = formIn(at, "Sign out").body;
  const sent = { verdict: "approve", reason: "mine", version: "1", args_digest };
  for (const [name, value] of Object.entries(sent)) body.set(name, value);
  const refused = await browser.send(at, { action: `/approvals/${id}`, body });
  expect(refused.status).toBe(403);
  expect(refused.text).toContain("somebody else must answer");
  expect((await world().stored(id))?.state).toBe("pending");
});

test("a form without the session's own token decides nothing", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-alice", `/${id}`);
  const { action, body } = formIn(at, "Approve", { reason: "r" });
  for (const token of [undefined, "", `${body.get("form_token")}x`]) {
    const forged = new URLSearchParams(body);
    if (token === undefined) forged.delete("form_token");
    else forged.set("form_token", token);
    expect((await browser.send(at, { action, body: forged })).status).toBe(403);
  }
  const { at: others } = await signedIn("s-bob", `/${id}`);
  const foreign = formIn(others, "Approve", { reason: "r" });
  expect((await browser.send(at, foreign)).status).toBe(403);
  const abroad = { ...at, url: "https://evil.example/" };
  expect((await browser.send(abroad, { action: page(`/${id}`), body })).status).toBe(403);
  expect((await browser.get(`${page(`/${id}`)}?${body}`)).status).toBe(200);
  expect((await world().stored(id))?.state).toBe("pending");
});

test("a form without a reason is given back, and what was typed with it", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-alice", `/${id}`);
  const refused = await browser.submit(at, "Approve", { reason: "  " });
  expect([refused.status, (await world().stored(id))?.state]).toEqual([422, "pending"]);
  expect(refused.text).toContain("say why");
});

test("what was decided meanwhile is shown instead of decided again", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-bob", `/${id}`);
  await fetch(`${world().url}/v1/approvals/${id}/votes`, {
    method: "POST",
    headers: { authorization: `Bearer ${aliceToken}`, "content-type": "application/json" },
    body: JSON.stringify({ verdict: "decline", reason: "not this month" }),
  });
  const late = await browser.submit(at, "Approve", { reason: "fine" });
  expect(late.status).toBe(409);
  expect(late.text).toContain(`Your answer was not taken: ${id} is declined already.`);
  expect(late.text).toContain("not this month");
  expect((await world().stored(id))?.votes).toHaveLength(1);
});

test("an answer to other arguments than those that are asked about is none", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-bob", `/${id}`);
  const late = await browser.submit(at, "Approve", { reason: "fine", args_digest: "sha256:other" });
  expect([late.status, (await world().stored(id))?.state]).toEqual([409, "pending"]);
  expect(late.text).toContain(">fine</textarea>");
});

test("other arguments are proposed in their place, and what cannot be read is given back", async () => {
  const args = { amount: 75_000 };
  const shownWhole = { args_redacted: args, args_digest: digestOf(args) };
  const { id } = await world().ask(shownWhole);
  const { browser, at } = await signedIn("s-bob", `/${id}`);
  const button = "Decline, and propose these";
  const wrong = await browser.submit(at, button, { args: '{"amount": 5', reason: "less" });
  expect([wrong.status, (await world().stored(id))?.state]).toEqual([422, "pending"]);
  expect(wrong.text).toContain("the arguments cannot be read");
  expect(wrong.text).toContain("{&quot;amount&quot;: 5</textarea>");
  const right = await browser.submit(wrong, button, { args: '{\r\n"amount": 5 }', reason: "less" });
  expect(right.status).toBe(200);
  expect(right.text).toContain("bob approved");
  const declined = await browser.get(page(`/${id}`));
  expect(declined.text).toContain("Other arguments were proposed instead");
  expect(declined.text).toContain(new URL(right.url).pathname);
  const hidden = await browser.get(page(`/${(await world().ask()).id}`));
  expect(hidden.text).not.toContain(button);
});

test("two clicks are one answer", async () => {
  const two = [{ groups: [], count: 2 }];
  const { id } = await world().ask({ requirements: two });
  const { browser, at } = await signedIn("s-alice", `/${id}`);
  const form = formIn(at, "Approve", { reason: "once" });
  const both = await Promise.all([browser.send(at, form), browser.send(at, form)]);
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  expect((await world().stored(id))?.votes).toHaveLength(1);
});

test("after signing out the cookie is worth nothing", async () => {
  const { id } = await world().ask();
  const { browser, at } = await signedIn("s-alice", `/${id}`);
  const cookie = browser.cookie(page(), "holdfast-session") ?? "";
  const out = await browser.submit(at, "Sign out");
  expect(out.text).toContain("You are signed out here");
  browser.setCookie(page(), "holdfast-session", cookie);
  const form = formIn(at, "Approve", { reason: "still here" });
  const late = await browser.send(at, form);
  expect(late.status).toBe(401);
  expect(late.text).toContain("Your session has ended");
  expect(late.text).toContain("still here");
  expect((await world().stored(id))?.state).toBe("pending");
});

test("what an agent hides in its text is shown", async () => {
  const { id } = await world().ask({
    agent: "desk<b>bot",
    args_redacted: { to: "alice\u202Egnp.exe", "<img src=x>": "a\u200Bb", flag: "true", n: true },
  });
  const { at } = await signedIn("s-bob", `/${id}`);
  expect(at.text).toContain("desk&lt;b&gt;bot");
  expect(at.text).toContain('alice<mark title="unseen character">U+202E</mark>gnp.exe');
  expect(at.text).toContain("&lt;img src=x&gt;");
  expect(at.text).toContain("U+200B");
  expect(at.text).toContain('<span class="json">&quot;true&quot;</span>');
  expect(at.text).not.toMatch(/\u202E|\u200B|<img/);
});

test("the list says what waits for whom", async () => {
  const own = await world().ask({ principal: "alice@example.com", agent: "own-bot" });
  const { at } = await signedIn("s-alice");
  const [forMe = "", forOthers = ""] = at.text.split("<h2>For others</h2>");
  expect(forMe).toContain("For you");
  expect(forMe).not.toContain("own-bot");
  expect(forOthers).toContain(own.id);
});

test("what is not there is said not to be there", async () => {
  const strange = await (await signedIn("s-alice", "/apr-none")).browser.get(page("/apr-none"));
  expect(strange.status).toBe(404);
  expect((await new PlainBrowser().get(page("/nothing/here"))).status).toBe(404);
  expect((await fetch(page(), { method: "PUT" })).status).toBe(405);
});
