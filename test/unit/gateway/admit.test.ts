/** What gates took is given back when the call goes no further, also when a gate itself breaks. */
import { expect, test } from "vitest";
import { admit, type Gate } from "../../../src/gateway/admit.ts";
import type { Asked, Judgement } from "../../../src/gateway/judge.ts";

const asked = {} as Asked;
const allowed = { decision: { decision: "allow" } } as Judgement;
const denied = { decision: { decision: "deny" } } as Judgement;

function taking(outcomes: string[]): Gate {
  return {
    enter: (_, judgement) => ({
      judgement,
      settle: async (outcome) => {
        outcomes.push(outcome);
      },
    }),
  };
}

test("turned away by a later gate: given back, once", async () => {
  const outcomes: string[] = [];
  const closed: Gate = { enter: () => ({ judgement: denied }) };
  const { judgement, settle } = await admit([taking(outcomes), closed], asked, allowed, false);
  await settle("ok");
  expect([judgement, outcomes]).toEqual([denied, ["not_sent"]]);
});

test("let through: settled by the outcome", async () => {
  const outcomes: string[] = [];
  const { settle } = await admit([taking(outcomes)], asked, allowed, false);
  expect(outcomes).toEqual([]);
  await settle("unknown");
  expect(outcomes).toEqual(["unknown"]);
});

test("a gate that breaks: given back, and the fault goes on", async () => {
  const outcomes: string[] = [];
  const broken: Gate = { enter: () => Promise.reject(new Error("broken")) };
  await expect(admit([taking(outcomes), broken], asked, allowed, false)).rejects.toThrow("broken");
  expect(outcomes).toEqual(["not_sent"]);
});
