/** Room at each upstream: one that is full keeps nobody from another, and turns come in the order of asking. */
import { expect, test } from "vitest";
import { UpstreamRooms } from "../../../src/gateway/index.ts";
import type { Asked, Judgement } from "../../../src/gateway/judge.ts";
import { SimClock } from "../../../src/sim/index.ts";

const allowed = { decision: { decision: "allow" } } as Judgement;
const asked = (tool: string) =>
  ({
    callId: "c",
    request: { identity: { agent: "a" }, args: {} },
    tool: { id: tool },
  }) as unknown as Asked;

function world(waitingMax: number) {
  const clock = new SimClock();
  const limits = { callsMax: 2, waitingMax, waitMsMax: 100 };
  const rooms = new UpstreamRooms(
    clock,
    new Map([
      ["a", limits],
      ["b", limits],
    ]),
  );
  const enter = async (tool: string) => await rooms.enter(asked(tool), allowed, false);
  return { clock, rooms, enter };
}

test("one that is full refuses at once, and the other does not notice", async () => {
  const { enter, rooms } = world(0);
  const [first] = [await enter("a:x"), await enter("a:y")];
  const third = await enter("a:z");
  expect(third.judgement.decision).toMatchObject({
    refusal: "upstream_busy",
    reason: "2 calls are under way at a (calls_in_flight_max)",
    retry_after_ms: 1_000,
  });
  expect(third.settle).toBeUndefined();
  expect((await enter("b:x")).judgement).toBe(allowed);
  await first?.settle?.("ok");
  expect((await enter("a:z")).judgement).toBe(allowed);
  expect(rooms.status).toEqual({ a: { calls: 2, waiting: 0 }, b: { calls: 1, waiting: 0 } });
});

test("whoever waits comes in turn; who waits too long is refused, and more may not wait", async () => {
  const { clock, enter, rooms } = world(2);
  const [first, second] = [await enter("a:1"), await enter("a:2")];
  const order: string[] = [];
  const waits = ["third", "fourth"].map(async (name) => {
    const { judgement, settle } = await enter("a:3");
    order.push(`${name} ${judgement === allowed ? "in" : "refused"}`);
    return settle;
  });
  expect((await enter("a:5")).judgement.decision.refusal).toBe("upstream_busy");
  await clock.advance(50);
  await first?.settle?.("ok");
  await clock.advance(1);
  expect(order).toEqual(["third in"]);
  await clock.advance(100);
  expect(order).toEqual(["third in", "fourth refused"]);
  const [third] = await clock.run(Promise.all(waits));
  await third?.("ok");
  await second?.settle?.("unknown");
  expect(rooms.status["a"]).toEqual({ calls: 0, waiting: 0 });
});

test("whoever asks for the decision alone, or is denied, takes no room", async () => {
  const { rooms } = world(0);
  const denied = { decision: { decision: "deny" } } as Judgement;
  for (let i = 0; i < 5; i++) {
    expect(await rooms.enter(asked("a:x"), allowed, true)).toEqual({ judgement: allowed });
    expect(await rooms.enter(asked("a:x"), denied, false)).toEqual({ judgement: denied });
  }
  expect(rooms.status["a"]).toEqual({ calls: 0, waiting: 0 });
});
