/**
 * AG-403 4.4, 8.3 (our reading of AG-403): with slots that survive, a failover loses no event on the way to the warehouse.
 * PostgreSQL 15 with a slot that was put on the standby by hand, and PostgreSQL 17 with a failover slot, promoted by hand.
 */
import { afterAll, afterEach, expect, test } from "vitest";
import { breaksIn } from "../fixtures/audit-pipeline.ts";
import { AuditSite } from "../fixtures/audit-site.ts";
import { postgres17 } from "../fixtures/postgres-17.ts";
import { until } from "../fixtures/site.ts";

const version17 = postgres17();
let site: AuditSite | undefined;
afterEach(() => site?.remove());
afterAll(() => version17.remove());

const events = 400;

/** Nothing missing, each once, in a chain that goes on across the failover. */
async function expectContinuity(here: AuditSite): Promise<void> {
  await here.writer.write(here.standby, events);
  await here.arrived();
  expect(await here.slotAt("STANDBY")).toMatchObject({ verdict: "pass" });
  expect(await here.canaryAt("STANDBY")).toMatchObject({ verdict: "pass" });
  const { code, gap } = await here.gap(here.standby);
  expect(gap).toMatchObject({ missing: 0, unexpected: 0, differing: 0, duplicates: 0 });
  expect(gap.source_events).toBe(2 * events);
  expect(code).toBe(0);
  const inOrder = here.consumer.events.toSorted((a, b) => a.seq - b.seq);
  expect(breaksIn(inOrder)).toEqual([]);
  expect(inOrder.at(-1)?.seq).toBe(2 * events);
}

test("15: a permanent slot that was put on the standby by hand: nothing is missing, what comes twice counts once", async () => {
  const here = await AuditSite.start({ plugin: "wal2json" });
  site = here;
  await here.copySlotToStandby();
  expect(await here.slotAt("STANDBY")).toMatchObject({ verdict: "pass" });
  await here.writer.write(here.primary, events);
  await here.arrived();
  await here.replayed();
  await here.failOver();
  await expectContinuity(here);
  // The slot of the standby stood still where it was copied, so everything since then came again.
  expect(here.consumer.duplicates).toBeGreaterThanOrEqual(events);
});

test("17: a failover slot: refused while it is temporary, nothing missing once it is not", async () => {
  const here = await AuditSite.start({
    ...{ programs: version17.programs, plugin: "test_decoding", hasFailoverSlot: true },
  });
  site = here;
  const held = await here.temporarySlot("fleeting");
  expect(await here.slotAt("PRIMARY", "fleeting")).toMatchObject({
    ...{ verdict: "fail", because: "slot fleeting is temporary: it does not survive a failover" },
  });
  await held.end();
  await here.writer.write(here.primary, events);
  await here.arrived();
  await until(async () => {
    // Only what is consumed after the standby has caught up makes the slot there permanent.
    here.primary.query("SELECT pg_logical_emit_message(true, 'a', 'b')");
    here.primary.query("SELECT pg_log_standby_snapshot()");
    return (await here.slotAt("STANDBY")).verdict === "pass";
    // PostgreSQL 17 looks at slots every 30 s when it found them quiet before.
  }, 90_000);
  await here.replayed();
  await here.failOver();
  await expectContinuity(here);
});

test("17: a slot that is not marked for failover is refused before, and gone after", async () => {
  const here = await AuditSite.start({ programs: version17.programs, plugin: "test_decoding" });
  site = here;
  await here.writer.write(here.primary, 20);
  await here.arrived();
  expect(await here.slotAt("PRIMARY")).toMatchObject({ verdict: "fail" });
  await here.replayed();
  await here.failOver();
  expect(await here.slotAt("STANDBY")).toMatchObject({ verdict: "fail" });
  expect(await here.canaryAt("STANDBY", 4_000)).toMatchObject({ verdict: "fail" });
});
