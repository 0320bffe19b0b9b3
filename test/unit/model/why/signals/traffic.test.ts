/** Traces and logs: own time, ways, flows cut short, what is said; each measured against the traffic that there was. */
import { describe, expect, test } from "vitest";
import type { ModelEvent } from "../../../../../src/model/index.ts";
import { ask, eachWindow, log, nodesOf, series, service, symptomAt, traffic } from "./shop.ts";

/** Front is entered by the outside and calls cart and ads; cart calls its store. */
function flows(
  times: Readonly<Record<string, number>>,
  ways: Readonly<Record<string, number>> = {},
) {
  return (minute: number): ModelEvent[] => {
    const own = (name: string) => times[name] ?? 4;
    const way = (link: string) => ways[link] ?? 2;
    return [
      traffic(minute, { caller: null, callee: "front", selfMs: own("front") }),
      traffic(minute, {
        caller: "front",
        callerOperation: "front get",
        callee: "cart",
        selfMs: own("cart"),
        wayMs: way("front cart"),
      }),
      traffic(minute, {
        caller: "front",
        callerOperation: "front get",
        callee: "ads",
        selfMs: own("ads"),
        wayMs: way("front ads"),
      }),
      traffic(minute, {
        caller: "ads",
        callerOperation: "ads get",
        callee: "cart",
        selfMs: own("cart"),
        wayMs: way("ads cart"),
      }),
      traffic(minute, {
        caller: "cart",
        callerOperation: "cart get",
        callee: "store",
        selfMs: own("store"),
        wayMs: way("cart store"),
      }),
    ];
  };
}

const healthy = flows({});

describe("time", () => {
  test("belongs to the node whose own time has grown, not to the callers that wait", () => {
    const events = eachWindow((minute, isNow) =>
      isNow ? flows({ cart: 200, front: 12 })(minute) : healthy(minute),
    );
    const answer = ask(events);
    expect(nodesOf(answer)[0]).toBe(service("cart"));
    expect(answer.causes[0]).toMatchObject({ kind: "code.latency" });
    expect(answer.causes[0]?.evidence[0]?.says).toMatch(/itself takes 200.0 ms .* 4.0 ms before/);
    expect(nodesOf(ask(events))).not.toContain(service("ads"));
  });

  test("on all ways into a node is that node's network", () => {
    const late = { "front cart": 500, "ads cart": 500 };
    const events = eachWindow((minute, isNow) =>
      isNow ? flows({}, late)(minute) : healthy(minute),
    );
    expect(ask(events).causes[0]).toMatchObject({ node: service("cart"), kind: "network.delay" });
  });

  test("on the way into a node and on the way out of it is that node's, not its only callee's", () => {
    const late = { "front cart": 150, "ads cart": 150, "cart store": 140 };
    const events = eachWindow((minute, isNow) =>
      isNow ? flows({}, late)(minute) : healthy(minute),
    );
    expect(ask(events).causes[0]).toMatchObject({ node: service("cart"), kind: "network.delay" });
    const onlyOut = eachWindow((minute, isNow) =>
      isNow ? flows({}, { "cart store": 140 })(minute) : healthy(minute),
    );
    expect(nodesOf(ask(onlyOut))[0]).toBe(service("store"));
  });

  test("on the ways out of a node to all of several callees is that node's", () => {
    const out = (minute: number, late: Readonly<Record<string, number>>) =>
      ["cart", "ads", "mail", "stock"].map((callee) =>
        traffic(minute, { caller: "front", callee, selfMs: 4, wayMs: late[callee] ?? 2 }),
      );
    const of = (late: Readonly<Record<string, number>>) =>
      ask(eachWindow((minute, isNow) => out(minute, isNow ? late : {}))).causes[0]?.node;
    expect(of({ cart: 30, ads: 24, mail: 26, stock: 28 })).toBe(service("front"));
    expect(of({ cart: 30 })).toBe(service("cart"));
  });

  test("on one of its ways speaks less for it than on all of them", () => {
    const weight = (late: Readonly<Record<string, number>>) => {
      const events = eachWindow((minute, isNow) =>
        isNow ? flows({}, late)(minute) : healthy(minute),
      );
      const cause = ask(events).causes.find(({ node }) => node === service("cart"));
      return cause?.evidence[0]?.weight ?? 0;
    };
    const all = weight({ "front cart": 500, "ads cart": 500 });
    expect(weight({ "front cart": 500 })).toBeLessThan(all * 0.7);
  });

  test("of a node that is called three times in a window counts too", () => {
    const rare = (minute: number, selfMs: number) =>
      traffic(minute, { caller: "cart", callee: "mail", count: 3, selfMs });
    const events = eachWindow((minute, isNow) => [
      ...healthy(minute),
      rare(minute, isNow ? 800 : 5),
    ]);
    expect(nodesOf(ask(events))[0]).toBe(service("mail"));
  });

  test("that one window of the past had too does not hide that it is new", () => {
    const events = eachWindow((minute, isNow) =>
      isNow || minute === -38 ? flows({ cart: 200 })(minute) : healthy(minute),
    );
    expect(nodesOf(ask(events))[0]).toBe(service("cart"));
  });
});

describe("failures", () => {
  const failing = (minute: number, errors: number) => [
    traffic(minute, { caller: null, callee: "front", errors }),
    traffic(minute, { caller: "front", callee: "cart", errors }),
    traffic(minute, { caller: "front", callee: "ads", errors: 2 }),
  ];

  test("belong to the callee that fails; its caller fails for it, and what always fails is no news", () => {
    const events = eachWindow((minute, isNow) => failing(minute, isNow ? 20 : 0));
    const answer = ask(events);
    expect(answer.causes[0]).toMatchObject({ node: service("cart"), kind: "code.exception" });
    expect(answer.causes[0]?.evidence[0]?.says).toBe(
      "cart get failed 40 of 80 times, 0 of 80 before",
    );
    expect(answer.ruledOut.map(({ node }) => node)).toContain(service("front"));
    expect(nodesOf(answer)).not.toContain(service("ads"));
  });

  test("that calls count are there, though a metric of the same counts none", () => {
    const events = eachWindow((minute, isNow) => failing(minute, isNow ? 20 : 0));
    const metric = series(service("front"), "errors", 0, [0, 0], { noise: 0 });
    const about = { node: service("front"), signal: "errors" } as const;
    const { verdict, causes } = ask([...events, metric], about);
    expect([verdict, causes[0]?.node]).toEqual(["cause", service("cart")]);
    const healthy = eachWindow((minute) => failing(minute, 0));
    expect(ask([...healthy, metric], about).verdict).toBe("none");
  });

  test("that show in many ways where they are met belong to the callee, as long as as many fail there", () => {
    const met = (minute: number, atFront: number, atCart: number) => [
      traffic(minute, { caller: null, callee: "front", errors: atFront }),
      ...["render", "answer", "price"].map((operation) =>
        traffic(minute, { caller: "front", callee: "front", operation, errors: atFront }),
      ),
      traffic(minute, { caller: "front", callee: "cart", errors: atCart }),
    ];
    const of = (atFront: number, atCart: number) =>
      ask(
        eachWindow((minute, isNow) => (isNow ? met(minute, atFront, atCart) : met(minute, 0, 0))),
      );
    expect(nodesOf(of(20, 20))[0]).toBe(service("cart"));
    expect(nodesOf(of(20, 4))[0]).toBe(service("front"));
  });

  test("that stop are no trouble", () => {
    expect(ask(eachWindow((minute, isNow) => failing(minute, isNow ? 0 : 20))).causes).toEqual([]);
  });
});

describe("flows", () => {
  /** Checkout runs and then charges and mails, unless it is cut short; how often it runs is the day's business. */
  const checkout = (minute: number, runs: number, finished: number) => [
    ...healthy(minute),
    traffic(minute, { caller: "front", callee: "checkout", operation: "checkout", count: runs }),
    traffic(minute, {
      caller: "checkout",
      callerOperation: "checkout",
      callee: "mail",
      operation: "send",
      count: finished,
    }),
  ];

  test("cut short are held against who no longer calls", () => {
    const events = eachWindow((minute, isNow) => checkout(minute, 30, isNow ? 3 : 30));
    const [first] = ask(events).causes;
    expect(first?.node).toBe(service("checkout"));
    expect(first?.evidence.some(({ says }) => /called service:mail send 6 times/.test(says))).toBe(
      true,
    );
  });

  test("cut short are dated by the first window in which they were", () => {
    const events = eachWindow((minute) => checkout(minute, 30, minute === 1 ? 3 : 30));
    const told = ask(events).causes[0]?.evidence.find(({ says }) => says.includes("ran 60 times"));
    expect(told?.onsetAt).toBe(symptomAt + 60_000);
  });

  test("run less often are no trouble of those they call", () => {
    const events = eachWindow((minute, isNow) => checkout(minute, isNow ? 3 : 30, isNow ? 3 : 30));
    expect(nodesOf(ask(events))).toEqual([]);
  });

  test("whose steps no longer come one for one are held against their node", () => {
    const steps = (minute: number, n: number, answered: number) => [
      ...healthy(minute),
      log(minute, "cart", "asked", n),
      log(minute, "cart", "answered", answered),
    ];
    const broken = eachWindow((minute, isNow) => steps(minute, 40, isNow ? 20 : 40));
    const [first] = ask(broken).causes;
    expect(first?.node).toBe(service("cart"));
    expect(first?.evidence[0]?.says).toBe(
      'it runs cart get 160 times, where 80 are to be expected: usually twice for each time that it says info "answered" (40 times now)',
    );
  });
});

test("of many steps that came one for one, that one no longer does says less than of two", () => {
  const brokenOf = (steps: number) =>
    ask(
      eachWindow((minute, isNow) => [
        ...healthy(minute),
        ...Array.from({ length: steps }, (_, step) =>
          log(minute, "cart", `step ${step}`, isNow && step === 0 ? 16 : 20),
        ),
      ]),
    ).causes[0]?.evidence.find(({ says }) => says.includes("to be expected"))?.weight ?? 0;
  expect(brokenOf(2)).toBeGreaterThan(brokenOf(40) + 0.1);
});

describe("logs", () => {
  const said = (minute: number, count: number, calls = 40) => [
    traffic(minute, { caller: null, callee: "front", count: calls, selfMs: 4 }),
    traffic(minute, { caller: "front", callee: "cart", count: calls, selfMs: 4 }),
    log(minute, "cart", "cart is empty", count, { severity: "warn" }),
  ];

  test("that grow with the traffic of their operation are as they were", () => {
    const events = eachWindow((minute, isNow) => said(minute, isNow ? 40 : 10, isNow ? 160 : 40));
    expect(ask(events).causes).toEqual([]);
  });

  test("that grow without it are not", () => {
    const events = eachWindow((minute, isNow) => said(minute, isNow ? 40 : 10));
    const says = ask(events).causes[0]?.evidence.map((each) => each.says);
    expect(says).toContainEqual(
      expect.stringMatching(/^says "cart is empty" 80 times in 80 calls/),
    );
  });

  test("are counted for the operation they belong to: one that swaps places with another is traffic", () => {
    const at = (minute: number, buy: number, browse: number) => [
      ...(["buy", "browse"] as const).map((entry) =>
        traffic(minute, {
          caller: "front",
          callee: "cart",
          operation: entry,
          entry,
          count: entry === "buy" ? buy : browse,
        }),
      ),
      log(minute, "cart", "checking stock", buy, { entry: "buy" }),
    ];
    const events = eachWindow((minute, isNow) => (isNow ? at(minute, 5, 95) : at(minute, 95, 5)));
    expect(ask(events).causes.flatMap(({ evidence }) => evidence.map(({ says }) => says))).toEqual(
      [],
    );
  });

  test("a new error is an exception of who logs it; what its callers then log is explained", () => {
    const events = eachWindow((minute, isNow) => [
      ...healthy(minute),
      ...(isNow
        ? [
            log(minute, "cart", "IllegalState: no stock", 40, { severity: "error" }),
            log(minute, "front", "cart failed", 20, { severity: "error" }),
          ]
        : []),
    ]);
    const answer = ask(events);
    expect(answer.causes[0]).toMatchObject({ node: service("cart"), kind: "code.exception" });
    expect(answer.ruledOut.map(({ node }) => node)).toContain(service("front"));
    expect(nodesOf(ask(events, {}, "topology"))).toContain(service("front"));
  });

  test("a line that is missing tells as much as a new one", () => {
    const events = eachWindow((minute, isNow) => [
      ...healthy(minute),
      ...(isNow ? [] : [log(minute, "cart", "stored", 40)]),
    ]);
    const [first] = ask(events).causes;
    expect(first?.node).toBe(service("cart"));
    expect(first?.evidence.some(({ says }) => /says no more "stored" 0 times/.test(says))).toBe(
      true,
    );
  });
});
