/** Ten thousand grants, eight uses of each, three gateways on one PostgreSQL under kills, stops and clock jumps. */
import { expect, test } from "vitest";
import { grantStorm } from "../system/product/grant-storm.ts";

const grants = 10_000;

test("10,000 grants: none is used twice, none is lost, and honest first uses are not refused", async () => {
  const seed = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000);
  const say = (line: string): void => {
    process.stdout.write(`seed ${seed}: ${line}\n`);
  };
  const report = await grantStorm({ seed, grants, usesEach: 8, lanes: 32, chaos: true, say });
  say(JSON.stringify({ ...report, refusedFirst: report.refusedFirst.length }));
  expect(report).toMatchObject({ twice: [], lost: [] });
  expect(report.executed + report.unknown).toBe(grants);
  expect(report.refusedFirst.length).toBeLessThan(grants / 1_000);
}, 3_600_000);
