/** What docs/approvals.md shows of the admin API is run, as it stands, against a control process. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandsOf, pages } from "../documented/pages.ts";
import { ApprovalsWorld, aliceToken } from "./approvals-world.ts";

const commands = pages()
  .filter(({ path }) => path === "docs/approvals.md")
  .flatMap(({ blocks }) => blocks.filter(({ language }) => language === "sh").flatMap(commandsOf));

const made: { world?: ApprovalsWorld; env?: Record<string, string> } = {};
beforeAll(async () => {
  const world = await ApprovalsWorld.start();
  made.world = world;
  const [asked, low] = [await world.ask(), await world.ask({ risk: "low", batch: true })];
  made.env = {
    ...{ HOLDFAST: world.url, TOKEN: aliceToken, ID: asked.id },
    ...{ LOW_ID: low.id, LOW_DIGEST: low.args_digest },
  };
});
afterAll(() => made.world?.close());

for (const { at, text } of commands)
  test(`${at}: ${text.slice(-60)}`, async () => {
    const env = { ...process.env, ...made.env };
    const { stdout } = await promisify(execFile)("sh", ["-c", text], { env });
    expect(JSON.parse(stdout)).toBeTypeOf("object");
  });

test("they did what the page says", async () => {
  expect(commands.length).toBeGreaterThan(7);
  const { ID = "", LOW_ID = "" } = made.env ?? {};
  expect((await made.world?.stored(ID))?.state).toBe("revoked");
  expect((await made.world?.stored(LOW_ID))?.state).toBe("granted");
});
