/** AG-403 4.4, 8.3 (our reading of AG-403): what a failover does to the audit pipeline is seen. PostgreSQL 15 as Debian has it. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { breaksIn } from "../../fixtures/audit-pipeline.ts";
import { AuditSite } from "../../fixtures/audit-site.ts";

let site: AuditSite;
beforeAll(async () => {
  site = await AuditSite.start({ plugin: "wal2json" });
});
afterAll(() => site?.remove());

test("before: the slot is good, the canary arrives, nothing is missing, the chain holds", async () => {
  await site.writer.write(site.primary, 50);
  await site.arrived();
  expect(await site.slotAt("PRIMARY")).toMatchObject({ verdict: "pass" });
  expect(await site.canaryAt("PRIMARY")).toMatchObject({
    verdict: "pass",
    observed: { copies: 1 },
  });
  expect(await site.gap(site.primary)).toMatchObject({ code: 0, gap: { warehouse_events: 50 } });
  expect(breaksIn(site.consumer.events)).toEqual([]);
});

test("a frozen consumer: its slot is active and valid, and only the canary tells", async () => {
  site.consumer.freeze();
  const slot = await site.slotAt("PRIMARY");
  expect(slot).toMatchObject({ verdict: "pass", observed: { active: true } });
  const canary = await site.canaryAt("PRIMARY", 4_000);
  expect(canary.because).toContain("did not arrive within 4000 ms");
  expect(canary.verdict).toBe("fail");
  site.consumer.thaw();
  expect(await site.canaryAt("PRIMARY")).toMatchObject({ verdict: "pass" });
});

test("one row that is not in the warehouse is found, and named; so is one that was changed", async () => {
  const whole = readFileSync(site.consumer.file, "utf8");
  const lines = whole.split("\n");
  const at = lines.findIndex((line) => line.includes('"ev-17"'));
  writeFileSync(site.consumer.file, lines.toSpliced(at, 1).join("\n"));
  expect(await site.gap(site.primary)).toMatchObject({
    ...{ code: 1, gap: { missing: 1, missing_ids: ["ev-17"], unexpected: 0, differing: 0 } },
  });
  const changed = lines.with(at, (lines[at] ?? "").replace(/"hash":"../, '"hash":"zz'));
  writeFileSync(site.consumer.file, changed.join("\n"));
  expect(await site.gap(site.primary)).toMatchObject({
    ...{ code: 1, gap: { missing: 0, differing_ids: ["ev-17"] } },
  });
  writeFileSync(site.consumer.file, whole);
  expect(await site.gap(site.primary)).toMatchObject({ code: 0 });
});

test("without slots at the target, a promotion is blocked by the slot and by the canary; the rows that would be lost are counted", async () => {
  await site.replayed();
  await site.failOver();
  const slot = await site.slotAt("STANDBY");
  expect(slot).toMatchObject({ verdict: "fail", because: "there is no slot audit" });
  expect(await site.canaryAt("STANDBY", 4_000)).toMatchObject({ verdict: "fail" });
  // The application looks healthy: it writes, and nobody carries it on.
  await site.writer.write(site.standby, 30);
  const { code, gap } = await site.gap(site.standby);
  expect(code).toBe(1);
  expect(gap).toMatchObject({ source_events: 80, warehouse_events: 50, missing: 30 });
});
