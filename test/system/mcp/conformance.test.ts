/**
 * The official conformance suite judges the gateway as a server and as a client, by the command that people run: every
 * check directly and through the composed gateway, policy, log and all.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { frozenChecks, readBaseline } from "../../../tools/conformance/baseline.ts";
import { differences } from "../../../tools/conformance/check-list.ts";
import type { Leg } from "../../../tools/conformance/legs.ts";
import { tallyOf } from "../../../tools/conformance/report.ts";
import { runSuite } from "../../../tools/conformance/suite.ts";
import { legName, type Problem } from "../../../tools/conformance/verdict.ts";
import { everythingListener } from "../../fixtures/everything-server.ts";
import { listen } from "../../fixtures/mcp-gateway.ts";

interface Report {
  readonly ok: boolean;
  readonly suite: string;
  readonly problems: readonly Problem[];
  readonly legs: readonly Leg[];
}

let report: Report;
let exitCode: number | null;

beforeAll(async () => {
  const child = spawn(process.execPath, ["tools/conformance/run.ts", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  exitCode = await new Promise((done) => child.once("close", done));
  report = JSON.parse(out);
});

const named = (name: string): Leg => {
  const leg = report.legs.find((each) => legName(each) === name);
  if (leg === undefined) throw new Error(`${name} was not run`);
  return leg;
};

test("nothing differs, the direct lists are complete, all is as frozen", () => {
  expect(report.problems).toEqual([]);
  expect(report.ok).toBe(true);
  expect(exitCode).toBe(0);
});

// Required scenarios, and checks that pass directly: what is frozen in the suite cannot shrink unseen here.
for (const [name, scenarios, direct] of [
  ["server 2025-11-25", 30, 84],
  ["server 2026-07-28", 37, 164],
  ["client 2025-11-25", 18, 245],
  ["client 2026-07-28", 32, 375],
] as const)
  test(`${name}: all ${scenarios} required scenarios pass through the gateway, and were recorded`, () => {
    const leg = named(name);
    const required = tallyOf(leg.through, leg.required);
    expect({ scenarios: required.scenarios, failed: required.failed }).toEqual({
      scenarios,
      failed: 0,
    });
    expect(tallyOf(leg.direct).passed).toBe(direct);
    expect(leg.record.entries).toBeGreaterThan(3);
  });

test("the docs tell these numbers", () => {
  const page = readFileSync("docs/mcp.md", "utf8");
  for (const leg of report.legs.filter(({ required }) => required.length > 0)) {
    const { scenarios, passed } = tallyOf(leg.through, leg.required);
    const direct = tallyOf(leg.direct, leg.required).passed;
    expect(page).toContain(
      `| ${leg.role} | ${leg.revision} | ${scenarios} | ${direct} | ${passed} |`,
    );
  }
  expect(page).toContain(report.suite);
});

test("a proxy that is careless about Host is found out, by name", async () => {
  const inner = everythingListener();
  // What a reverse proxy does by default: the server sees the proxy's own idea of the host.
  const careless = await listen((request, response) => {
    request.headers.host = "localhost";
    inner(request, response);
  });
  try {
    const target = ["--url", `${careless.url}/mcp`];
    const found = await runSuite({ role: "server", revision: "2025-11-25", target });
    const frozen = frozenChecks(readBaseline(), "server", "2025-11-25");
    expect(differences(frozen, found)).toEqual([
      {
        scenario: "dns-rebinding-protection",
        check: "localhost-host-rebinding-rejected",
        expected: "SUCCESS",
        found: "FAILURE",
        detail: "Expected HTTP 4xx for invalid Host/Origin headers, got 200",
      },
    ]);
  } finally {
    careless.close();
  }
});
