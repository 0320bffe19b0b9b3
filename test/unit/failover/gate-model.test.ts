/** AG-403 4.2 and 4.3: what the gate promises, in every order in which things can happen in a small world. */
import { describe, expect, test } from "vitest";
import { gateStart, next, waitMs } from "../../../src/failover/index.ts";
import { asBuilt, type Bounds, type Judged, walk } from "./gate-world.ts";

const times = { validationMs: 2, remediationMs: 1, ttlMs: 2 };
const a = { name: "a", onFailure: "block", dependsOn: [], attemptsMax: 0 } as const;
const b = {
  name: "b",
  onFailure: { degrade: "escrow" },
  dependsOn: ["a"],
  attemptsMax: 1,
} as const;

/** Who acts. */
const between: Bounds = {
  rules: { components: [a], ...times, validationMs: 1 },
  ...{ epochsMax: 2, roundsMax: 1, statesMax: 150_000, sites: 2, breaksGlass: false },
  answers: ["pass"],
};

/** What lets a site act. */
const within: Bounds = {
  rules: { components: [a, b], ...times },
  ...{ epochsMax: 2, roundsMax: 3, statesMax: 150_000, sites: 1, breaksGlass: true },
  answers: ["pass", "fail"],
};

describe("AG-403 4.2, 4.3: every order of events", () => {
  test("two sites and an arbiter: one of them acts at most", () => {
    const walked = walk(asBuilt, between);
    expect(walked.broken).toBeUndefined();
    expect([...walked.phases]).toContain("ready");
    expect(walked.states).toBeGreaterThan(5_000);
  });

  test("repairs, degraded tiers and break-glass: nothing is permitted that was not shown or granted", () => {
    const walked = walk(asBuilt, within);
    expect(walked.broken).toBeUndefined();
    expect([...walked.phases].sort()).toEqual([
      "blocked",
      "degraded",
      "fenced",
      "ready",
      "remediating",
      "revoked",
      "standby",
      "validating",
    ]);
    expect(walked.states).toBeGreaterThan(5_000);
  });
});

describe("a planted fault is found", () => {
  /** Each in the world where it shows soonest. */
  const planted: Readonly<Record<string, Judged & { readonly bounds: Bounds }>> = {
    "a lease is taken while it lasts": { ...asBuilt, bounds: between, waitMs: () => 0 },
    "a lease is given back while permits are out": {
      ...asBuilt,
      bounds: between,
      releasesEarly: true,
    },
    "the margin of the contender is left out": {
      ...asBuilt,
      bounds: between,
      waitMs: (seen, me, nowMs) => Math.max(0, waitMs(seen, me, nowMs) - 2),
    },
    "an unheard component counts as intact": {
      ...asBuilt,
      bounds: within,
      next: (_, state, event, nowMs) => {
        const fewer = { ...within.rules, components: [a] };
        return next(fewer, state, event, nowMs);
      },
    },
    "a restart keeps its verdict": {
      ...asBuilt,
      bounds: between,
      next: (known, state, event, nowMs) =>
        event.kind === "restarted"
          ? { state: { ...state, leaseUntilMs: nowMs + 9, validUntilMs: nowMs + 9 }, effects: [] }
          : next(known, state, event, nowMs),
    },
  };
  for (const [name, judged] of Object.entries(planted))
    test(name, () => expect(walk(judged, judged.bounds).broken).toBeDefined());
});

test("an answer of another round or epoch, or given twice, changes nothing", () => {
  const { rules } = between;
  const begun = next(rules, gateStart, { kind: "begin", failover: "fo" }, 0).state;
  const held = next(rules, begun, { kind: "leased", epoch: 1, sinceMs: 0 }, 0).state;
  const pass = { kind: "answered", component: "a", verdict: "pass", because: "" } as const;
  for (const other of [
    { epoch: 1, round: 0 },
    { epoch: 0, round: 1 },
    { epoch: 2, round: 1 },
  ])
    expect(next(rules, held, { ...pass, ...other }, 0).state).toEqual(held);
  const failed = next(rules, held, { ...pass, epoch: 1, round: 1, verdict: "fail" }, 0).state;
  expect(failed.phase).toBe("blocked");
  expect(next(rules, failed, { ...pass, epoch: 1, round: 1 }, 0).state).toEqual(failed);
});
