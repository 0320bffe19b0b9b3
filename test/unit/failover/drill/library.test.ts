/** AG-403 4.7: every scenario that comes with the package can be run, can fail, and says what it serves. */
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { readExperiment } from "../../../../src/failover/index.ts";
import type { JsonObject } from "../../../../src/kernel/index.ts";

const files = globSync("drills/*.json").sort();

test("the library holds the fourteen scenarios", () => {
  expect(files.map((path) => basename(path, ".json"))).toEqual([
    ...["audit-sink-full", "clock-skew", "double-failure", "failback", "flapping", "freeze"],
    ...["gate-death", "lost-slot", "missing-sidecar", "partition", "process-kill", "revoked-key"],
    ...["stale-bundle", "wrong-jurisdiction"],
  ]);
});

test.each(files)("%s", (path) => {
  const value = JSON.parse(readFileSync(path, "utf8")) as JsonObject;
  const configuration = value["configuration"] as JsonObject;
  const variables = Object.fromEntries(
    Object.keys(configuration).map((name) => [
      name,
      name.endsWith("_within")
        ? 7
        : name.endsWith("_url")
          ? `http://127.0.0.1:1/${name}`
          : `/srv/drill/${name}`,
    ]),
  );
  const environment = { HOLDFAST_GUARD_TOKEN: "t" };
  const read = readExperiment(value, { variables, environment });
  expect(read.ok ? [] : read.error).toEqual([]);
  if (!read.ok) return;
  const { governance, rollbacks } = read.value;
  expect(governance.scenario).toBe(basename(path, ".json"));
  expect(governance.controls).toContain("AG-403:4.7");
  expect(governance.recovery.length).toBeGreaterThan(0);
  expect(rollbacks.length).toBeGreaterThan(0);
  // A variable that nothing uses is a mistyped one.
  const rest = JSON.stringify({ ...value, configuration: null });
  expect(Object.keys(configuration).filter((name) => !rest.includes(`\${${name}}`))).toEqual([]);
});
