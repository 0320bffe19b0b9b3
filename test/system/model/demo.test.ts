/** The live run, short: a bad default is named with its chain, and the fix does what was predicted of it. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import type { Observed } from "../../../tools/demo-model/observe.ts";

test("deploy, default, client, symptom; and the fix is felt by as much of the traffic as predicted", () => {
  const args = ["tools/demo-model/run.ts", "--seed", "0", "--json"];
  const short = ["--baseline-seconds", "8", "--fault-seconds", "6"];
  const run = spawnSync(process.execPath, [...args, ...short], { encoding: "utf8" });
  expect({ code: run.status, said: run.status === 0 ? "" : run.stderr + run.stdout }).toEqual({
    code: 0,
    said: "",
  });
  const { answer, impact, calibration } = JSON.parse(run.stdout) as Observed;
  const [cause] = answer.causes;
  expect([cause?.node, cause?.kind]).toEqual(["config:defaults", "change.config"]);
  const way = cause?.path.map(({ to }) => to) ?? [];
  expect(cause?.path[0]?.from).toMatch(/^config:pipeline\/shop-defaults-42/);
  expect(way).toEqual(["config:defaults", "service:cart", "service:frontend"]);
  // Half of the customers look at their cart or buy.
  expect(impact.share?.value).toBeGreaterThan(0.4);
  expect(impact.share?.value).toBeLessThan(0.6);
  // The stored prediction has its outcome beside it.
  expect(calibration).toMatchObject({ all: { predictions: 1, settled: 1 } });
});
