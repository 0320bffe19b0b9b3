/** The approval page in a real browser: what only a browser does, such as pressing twice, forms, cookies, colours, sizes. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApprovalsWorld } from "./approvals-world.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const phone = { width: 360, height: 740 };

const made: { world?: ApprovalsWorld; browser?: Browser } = {};
const world = (): ApprovalsWorld => made.world as ApprovalsWorld;

beforeAll(async () => {
  made.world = await ApprovalsWorld.start();
  made.browser = await chromium.launch({
    executablePath: "/usr/bin/chromium-headless-shell",
    // Root, as in a container, has no sandbox of its own.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
});
afterAll(async () => {
  await made.browser?.close();
  await made.world?.close();
});

type ContextOptions = Parameters<Browser["newContext"]>[0];

/** What the browser complained of: a blocked style or script would be among it. */
const complaints: string[] = [];

async function opened(
  subject: string,
  path: string,
  options: ContextOptions = { javaScriptEnabled: false },
): Promise<{ page: Page; context: BrowserContext }> {
  world().provider.person = subject;
  const context = await (made.browser as Browser).newContext({ viewport: phone, ...options });
  const page = await context.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${world().url}/approvals${path}`);
  return { page, context };
}

const answer = async (page: Page, reason: string): Promise<void> => {
  await page.getByLabel("Why").fill(reason);
};

test("two clicks on Approve are one answer, without script", async () => {
  const { id } = await world().ask({ requirements: [{ groups: [], count: 2 }] });
  const { page } = await opened("s-alice", `/${id}`);
  await answer(page, "checked");
  await page.getByRole("button", { name: "Approve" }).dblclick();
  await page.getByText("alice approved").waitFor();
  expect(page.url()).toBe(`${world().url}/approvals/${id}`);
  await page.getByText("You have answered. Others must still agree.").waitFor();
  expect((await world().stored(id))?.votes).toHaveLength(1);
  // Asking for the same page again sends no form again.
  await page.reload();
  expect((await world().stored(id))?.votes).toHaveLength(1);
});

test("the keyboard alone will do, and a reason is asked for before anything is sent", async () => {
  const { id } = await world().ask();
  const { page } = await opened("s-bob", `/${id}`);
  await page.getByRole("button", { name: "Decline" }).focus();
  await page.keyboard.press("Enter");
  expect((await world().stored(id))?.state).toBe("pending");
  await page.getByLabel("Why").focus();
  await page.keyboard.type("not today");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("bob declined").waitFor();
  expect((await world().stored(id))?.state).toBe("declined");
});

test("a session that has ended decides nothing, keeps what was typed, and leads back after sign-in", async () => {
  const { id } = await world().ask();
  const { page, context } = await opened("s-alice", `/${id}`);
  await answer(page, "long thought about");
  await context.clearCookies({ name: "holdfast-session" });
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("heading", { name: "Your session has ended" }).waitFor();
  await page.getByText("long thought about").waitFor();
  expect((await world().stored(id))?.state).toBe("pending");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Why").waitFor();
  expect(page.url()).toBe(`${world().url}/approvals/${id}`);
});

test("a page that is out of date shows what happened meanwhile", async () => {
  const { id } = await world().ask();
  const early = await opened("s-alice", `/${id}`);
  const late = await opened("s-bob", `/${id}`);
  await answer(early.page, "fraud");
  await early.page.getByRole("button", { name: "Decline" }).click();
  await early.page.getByText("alice declined").waitFor();
  await answer(late.page, "fine with me");
  await late.page.getByRole("button", { name: "Approve" }).click();
  await late.page.getByRole("alert").getByText("is declined already").waitFor();
  expect((await world().stored(id))?.votes).toHaveLength(1);
});

test("a form on a page elsewhere decides nothing, though the browser is signed in", async () => {
  const { id, args_digest } = await world().ask();
  const { page } = await opened("s-alice", `/${id}`, { javaScriptEnabled: true });
  await page.route("http://evil.example/", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<form method="post" action="${world().url}/approvals/${id}">
        <input name="verdict" value="approve"><input name="reason" value="r"><input name="version" value="1">
        <input name="args_digest" value="${args_digest}"><button>Win</button></form>`,
    }),
  );
  await page.goto("http://evil.example/");
  const answered = page.waitForResponse((response) => response.url().endsWith(id));
  await page.getByRole("button", { name: "Win" }).click();
  expect((await answered).status()).toBeGreaterThanOrEqual(401);
  expect((await world().stored(id))?.state).toBe("pending");
});

test("somebody who is no approver, and the person a request was made for, find nothing to press", async () => {
  const { id } = await world().ask({ principal: "alice@example.com" });
  const stranger = await opened("s-stranger", `/${id}`);
  await stranger.page.getByRole("heading", { name: "You are no approver here" }).waitFor();
  const own = await opened("s-alice", `/${id}`);
  await own.page.getByText("This is your own request").waitFor();
  for (const { page } of [stranger, own])
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);
});

const wide = "x".repeat(300);
for (const colorScheme of ["light", "dark"] as const)
  test(`on a phone in the ${colorScheme} nothing runs off the side, and axe finds nothing to complain of`, async () => {
    const waiting = await world().ask({ args_redacted: { [wide]: wide, deep: [[{ a: [1, 2] }]] } });
    const options = { colorScheme, javaScriptEnabled: true };
    const { page } = await opened("s-alice", `/${waiting.id}`, options);
    for (const path of [`/${waiting.id}`, "", "/signed-out", "/nothing"]) {
      await page.goto(`${world().url}/approvals${path}`);
      await page.evaluate(axe);
      const found = await page.evaluate(lookAround);
      expect({ path, ...found }).toEqual({ path, violations: [], runsOff: false });
    }
  });

/** Runs in the browser. */
async function lookAround(): Promise<{ violations: string[]; runsOff: boolean }> {
  const { axe: checker, document } = globalThis as unknown as {
    axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    document: { documentElement: { scrollWidth: number; clientWidth: number } };
  };
  const { violations } = await checker.run();
  const { scrollWidth, clientWidth } = document.documentElement;
  return {
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`),
    runsOff: scrollWidth > clientWidth,
  };
}

test("the browser itself had nothing to complain of", () => {
  // The pages that say no are loaded with the status that says so.
  const said = complaints.filter((text) => !/status of 40\d/.test(text));
  expect(said).toEqual([]);
});
