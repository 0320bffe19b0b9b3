/** AuthZEN 1.0, every level of its certification scenario, asked of real processes over HTTP; then the record of it. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Asked,
  type DecisionPoint,
  startDecisionPoint,
} from "../../fixtures/decision-point.ts";
import { levels, type Step } from "./scenario.ts";

const made: { point?: DecisionPoint } = {};
const point = (): DecisionPoint => made.point as DecisionPoint;

beforeAll(async () => {
  made.point = await startDecisionPoint("certification");
});
afterAll(() => made.point?.close());

/** What an answer says, in the words of the scenario. */
function said({ status, headers, body }: Asked): Step["expected"] {
  if (status === 400) return 400;
  expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  const { results, evaluations, page, decision } = body as {
    results?: { id?: string; name?: string }[];
    evaluations?: { decision: boolean }[];
    page?: { next_token: string };
    decision: boolean;
  };
  if (evaluations !== undefined) return evaluations.map((each) => each.decision);
  if (results === undefined) return decision;
  expect(page).toMatchObject({ next_token: "" });
  return results.map(({ id, name }) => id ?? name ?? "");
}

for (const [level, steps] of Object.entries(levels))
  describe(level, () => {
    test.each(steps)("$what ($path)", async ({ path, body, headers = {}, expected }) => {
      const answer = await point().post(path, body, { "x-request-id": "asked-1", ...headers });
      expect(said(answer)).toEqual(expected);
      expect(answer.headers.get("x-request-id")).toBe("asked-1");
      expect(said(await point().post(path, body, headers))).toEqual(expected);
    });
  });

test("Search: pages", async () => {
  const question = {
    subject: { type: "user" },
    action: { name: "read" },
    resource: { type: "record", id: "record-1" },
  };
  const search = async (page: object): Promise<readonly [string | undefined, string]> => {
    const { body } = await point().post("/access/v1/search/subject", { ...question, page });
    const given = body as { results: { id: string }[]; page: { next_token: string } };
    expect(given.results.length).toBeLessThanOrEqual(1);
    return [given.results[0]?.id, given.page.next_token];
  };
  const [first, token] = await search({ limit: 1 });
  const [second, last] = await search({ token });
  expect([first, second, last]).toEqual(["alice", "bob", ""]);
});

test("Discovery", async () => {
  const { status, headers, body } = await point().get("/.well-known/authzen-configuration");
  expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  const base = "https://pdp.example.com";
  expect(body["policy_decision_point"]).toBe(base);
  const endpoints = Object.entries(body).filter(([name]) => name.endsWith("_endpoint"));
  expect(endpoints).toHaveLength(5);
  for (const [, url] of endpoints) {
    const path = String(url).slice(base.length);
    // Served, and asked without a token.
    expect((await point().post(path, {}, { authorization: undefined })).status).toBe(401);
  }
});

test("the record holds one decision for each evaluation and one search for each page, and verifies", () => {
  const args = ["audit", "show", point().log, "--key", `${point().log}/log.vkey`];
  const shown = spawnSync(process.execPath, ["bin/holdfast.mjs", ...args], { encoding: "utf8" });
  // Exit 0 says that the log verifies.
  expect([shown.status, shown.stderr]).toEqual([0, ""]);
  const rows = shown.stdout.split("\n");
  const steps = Object.values(levels).flat();
  const asked = (kind: string): number =>
    steps.filter(({ path, expected }) => path.endsWith(kind) && expected !== 400).length;
  const recorded = (pattern: RegExp): number => rows.filter((row) => pattern.test(row)).length;
  // Each was asked twice; two pages more.
  expect(recorded(/ search .* search\/subject /)).toBe(2 * asked("search/subject") + 2);
  expect(recorded(/ search .* search\/resource /)).toBe(2 * asked("search/resource"));
  expect(recorded(/ search .* search\/action /)).toBe(2 * asked("search/action"));
  const judged = steps
    .filter(({ path }) => !path.includes("/search/"))
    .flatMap(({ expected }) => (expected === 400 ? [] : [expected].flat()));
  // One evaluation of a list was incomplete: it was never judged.
  expect(recorded(/ (?:allow|deny) .* record:/)).toBe(2 * (judged.length - 1));
  expect(shown.stdout).toMatch(
    /search +- +record-service +search\/subject +\S+ +2 of 2 candidates/,
  );
});
