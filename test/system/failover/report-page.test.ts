/** The page of reports in a real browser: readable for everybody, on a phone too, light and dark. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { regulationIds, reportOf, reportPage } from "../../../src/failover/index.ts";
import { evidence, journal, record } from "../../unit/failover/evidence/evidence.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const made: { browser?: Browser } = {};

beforeAll(async () => {
  made.browser = await chromium.launch({
    executablePath: "/usr/bin/chromium-headless-shell",
    // Root, as in a container, has no sandbox of its own.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
});
afterAll(async () => made.browser?.close());

const late = record({ failover: "fo-2", initiated: "2026-05-02T10:00:00.000Z", grt_ms: 61_000 });
const pages = {
  "all is well": evidence(),
  "something failed": evidence({ records: [record(), late], drills: [journal("dr-1", "fail")] }),
  "nothing happened yet": evidence({ records: [], drills: [], parity: [] }),
};

for (const colorScheme of ["light", "dark"] as const)
  test.each(Object.entries(pages))(`${colorScheme}: %s`, async (_, of) => {
    const viewport = { width: 360, height: 740 };
    const context = await made.browser?.newContext({ colorScheme, viewport });
    const page = await context?.newPage();
    if (page === undefined) throw new Error("no browser");
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    await page.setContent(reportPage(reportOf(of, regulationIds)));
    await page.evaluate(axe);
    expect(await page.evaluate(lookAround)).toEqual({ violations: [], runsOff: false });
    expect(complaints).toEqual([]);
    await context?.close();
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
