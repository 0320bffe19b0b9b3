/** Measurements: which way is bad, since when, whose they are, and what explains them. Each part is also left out once. */
import { describe, expect, test } from "vitest";
import { nodeId } from "../../../../../src/model/index.ts";
import { ask, calls, nodesOf, series, service, symptomAt } from "./shop.ts";

const [front, cart, ads] = [service("front"), service("cart"), service("ads")];
const shop = [calls(front, cart), calls(front, ads)];
const slow = { node: front, signal: "latency" } as const;
const frontSlow = series(front, "latency", 100, [160, 165, 160]);
const rates = [
  series(front, "requests", 10, [10, 10, 10], { name: "requests Sum" }),
  series(cart, "requests", 10, [10, 10, 10], { name: "requests Sum" }),
  series(ads, "requests", 10, [10, 10, 10], { name: "requests Sum" }),
];

describe("sign", () => {
  test("what became faster is no cause of slowness, however far it is from what it was", () => {
    const events = [
      ...shop,
      frontSlow,
      series(cart, "latency", 50, [110, 115, 110]),
      series(ads, "latency", 500, [5, 5, 5]),
    ];
    expect(nodesOf(ask(events, slow))).not.toContain(ads);
    expect(nodesOf(ask(events, slow))[0]).toBe(cart);
  });

  test("availability is worse when it falls", () => {
    const events = [
      ...shop,
      series(front, "availability", 1, [0.9, 0.9, 0.9], { noise: 0 }),
      series(cart, "availability", 1, [0.8, 0.8, 0.8], { noise: 0 }),
      series(ads, "availability", 0.6, [1, 1, 1], { noise: 0 }),
    ];
    const answer = ask(events, { node: front, signal: "availability" });
    expect(nodesOf(answer)[0]).toBe(cart);
    expect(nodesOf(answer)).not.toContain(ads);
  });
});

describe("onset", () => {
  const events = [
    ...shop,
    frontSlow,
    series(cart, "latency", 50, [110, 115, 110]),
    series(ads, "latency", 50, [300, 300, 300], { standing: 300 }),
  ];

  test("what already was so before the symptom is not its cause", () => {
    expect(nodesOf(ask(events, slow))).not.toContain(ads);
  });

  test("without time, the older and larger deviation is blamed", () => {
    expect(nodesOf(ask(events, slow, "time"))[0]).toBe(ads);
  });

  /** Trouble from five to two minutes before the question. */
  const over = (node: string, usual: number, worse: number) => {
    const calm = series(node, "latency", usual, []);
    const points = calm.points.map(([at, value], index) =>
      index >= 55 && index < 58 ? ([at, worse] as const) : ([at, value] as const),
    );
    return { ...calm, points };
  };

  test("who asks when it is over is told what began with it", () => {
    const answer = ask([...shop, over(front, 100, 160), over(cart, 50, 110)], slow);
    expect(nodesOf(answer)[0]).toBe(cart);
  });

  test("what is not named may have begun at any time that is looked back", () => {
    expect(nodesOf(ask([over(cart, 50, 110)]))).toEqual([cart]);
  });

  test("a cause says when it began", () => {
    const [first] = ask(events, slow).causes;
    expect(first?.onsetAt).toBe(first?.evidence[0]?.onsetAt);
    expect(first?.evidence[0]?.says).toMatch(/is 115, usually 50 /);
  });
});

describe("types", () => {
  const view = nodeId("observer", "cart as the balancer sees it");
  const events = [
    ...shop,
    calls(front, view),
    calls(view, cart, "observes"),
    frontSlow,
    series(cart, "latency", 50, [110, 115, 110]),
    series(view, "latency", 50, [400, 420, 410]),
  ];

  test("a view is no cause; it is ruled out with a reason", () => {
    const answer = ask(events, slow);
    expect(nodesOf(answer)).not.toContain(view);
    expect(nodesOf(answer)[0]).toBe(cart);
    expect(answer.ruledOut.find(({ node }) => node === view)?.because).toMatch(/view of another/);
  });

  test("without types, the view is blamed", () => {
    expect(nodesOf(ask(events, slow, "types"))[0]).toBe(view);
  });
});

describe("explaining away", () => {
  const far = series(front, "latency", 20, [140, 140, 140], { noise: 0.01 });

  test("a caller is explained by a callee with as much excess, even when it deviates further", () => {
    const events = [...shop, ...rates, far, series(cart, "latency", 50, [170, 170, 170])];
    const answer = ask(events, slow);
    expect(nodesOf(answer)[0]).toBe(cart);
    expect(answer.ruledOut.find(({ node }) => node === front)?.because).toMatch(/service:cart/);
    expect(nodesOf(ask(events, slow, "topology"))[0]).toBe(front);
  });

  test("a callee with a fifth of the excess does not", () => {
    const events = [...shop, ...rates, far, series(cart, "latency", 50, [74, 74, 74])];
    expect(nodesOf(ask(events, slow))[0]).toBe(front);
  });

  test("the path leads from the cause to the symptom, with what was seen on the way", () => {
    const db = nodeId("database", "orders");
    const answer = ask(
      [
        ...shop,
        calls(cart, db),
        ...rates,
        series(db, "requests", 10, [10, 10, 10], { name: "requests Sum" }),
        frontSlow,
        series(cart, "latency", 50, [112, 112, 112]),
        series(db, "latency", 5, [68, 68, 68]),
      ],
      slow,
    );
    expect(answer.causes[0]?.path.map(({ from, to }) => [from, to])).toEqual([
      [db, cart],
      [cart, front],
    ]);
    expect(answer.causes[0]?.path[0]?.because).toMatch(/112, usually 50/);
  });

  test("trouble that the symptom's node does not reach is somebody else's", () => {
    const other = service("reports");
    const batch = service("batch");
    const events = [
      ...shop,
      calls(other, batch),
      frontSlow,
      series(cart, "latency", 50, [110, 110, 110]),
      series(batch, "latency", 50, [900, 900, 900]),
    ];
    const answer = ask(events, slow);
    expect(nodesOf(answer)).not.toContain(batch);
    expect(answer.ruledOut.find(({ node }) => node === batch)?.because).toMatch(/does not call it/);
    expect(nodesOf(ask(events, slow, "topology"))[0]).toBe(batch);
  });

  test("trouble that is a hundredth of the symptom is ruled out by its size", () => {
    const rare = series(ads, "requests", 0.01, [0.01, 0.01, 0.01], { name: "requests Sum" });
    const events = [
      ...shop,
      ...rates.slice(0, 2),
      rare,
      frontSlow,
      series(ads, "latency", 50, [200, 200, 200]),
    ];
    const answer = ask(events, slow);
    expect(nodesOf(answer)).toEqual([front]);
    expect(answer.ruledOut.find(({ node }) => node === ads)?.because).toMatch(
      /% of what the symptom/,
    );
  });
});

describe("counts", () => {
  const failing = { node: front, signal: "availability" } as const;
  const half = series(ads, "availability", 1, [0.5, 1, 1], { noise: 0 });
  const requests = (node: string, perSecond: number) =>
    series(node, "requests", perSecond, [perSecond, perSecond, perSecond], {
      name: "requests Sum",
      noise: 0,
    });
  const asked = (adsPerSecond: number) =>
    nodesOf(
      ask(
        [
          ...shop,
          ...[requests(front, 0.2), requests(cart, 0.2), requests(ads, adsPerSecond)],
          series(front, "availability", 1, [0.9, 0.9, 0.9], { noise: 0 }),
          series(cart, "availability", 1, [0.9, 0.9, 0.9], { noise: 0 }),
          half,
        ],
        failing,
      ),
    );

  test("one failure of two is half of them, and less than many of many", () => {
    expect(asked(1 / 30)[0]).toBe(cart);
    expect(asked(10)[0]).toBe(ads);
  });

  test("a node that is mostly idle is judged by the requests it had when they failed", () => {
    const idle = series(ads, "requests", 0, [0, 1 / 30, 0], { name: "requests Sum", noise: 0 });
    const events = [
      ...[...shop, requests(front, 10), requests(cart, 10), idle],
      series(front, "availability", 1, [0.96, 0.96, 0.96], { noise: 0 }),
      series(ads, "availability", 1, [1, 0, 1], { noise: 0 }),
    ];
    expect(nodesOf(ask(events, failing))).not.toContain(ads);
  });
});

describe("verdict", () => {
  test("none, when what is complained about is as it always was", () => {
    const healthy = [
      ...shop,
      ...rates,
      series(front, "latency", 100, [101, 100, 99]),
      series(cart, "latency", 50, [50, 51, 50]),
    ];
    expect(ask(healthy, slow).verdict).toBe("none");
  });

  test("none for one measurement that stands alone, a cause for one that lasts", () => {
    const events = (after: readonly number[]) => [
      ...shop,
      ...rates,
      series(
        front,
        "latency",
        100,
        after.map((value) => value + 50),
      ),
      series(cart, "latency", 50, after),
    ];
    expect(ask(events([150, 50, 50]), slow).verdict).toBe("none");
    expect(ask(events([150, 150, 50]), slow).verdict).toBe("cause");
  });

  test("a symptom within its noise is there when lasting trouble below accounts for it", () => {
    const events = (after: readonly number[]) => [
      ...shop,
      ...rates,
      series(front, "latency", 100, [106, 106, 106]),
      series(cart, "latency", 50, after),
    ];
    expect(ask(events([150, 50, 50]), slow).verdict).toBe("none");
    expect(ask(events([150, 150, 50]), slow).verdict).toBe("cause");
    expect(ask(events([50, 50, 50]), slow).verdict).toBe("none");
  });

  test("none for what it does every half an hour, also where that is twice its usual", () => {
    const often = series(front, "latency", 100, [200, 200, 100]);
    const points = Array.from({ length: 180 }, (_, at) => {
      const value = at % 30 === 10 || at % 30 === 11 ? 200 : 100 + (at % 5);
      return [symptomAt + (at - 180) * 60_000, value] as const;
    });
    const asked = (past: typeof points) => {
      const now = often.points.filter(([at]) => at >= symptomAt);
      return ask([...shop, { ...often, points: [...past, ...now] }], slow).verdict;
    };
    expect(asked(points)).toBe("none");
    expect(asked(points.map(([at, value]) => [at, Math.min(value, 105)]))).not.toBe("none");
  });

  test("insufficient, when too little of the past is known to tell", () => {
    const short = series(front, "latency", 100, [500]);
    expect(ask([{ ...short, points: short.points.slice(-4) }], slow).verdict).toBe("insufficient");
    expect(ask([], slow).verdict).toBe("insufficient");
  });
});

test("a processor that is used up is named as the kind, and what to look at", () => {
  const answer = ask([series(cart, "cpu", 0.05, [0.9, 0.95, 0.9])]);
  expect(answer.causes[0]).toMatchObject({ node: cart, kind: "compute.cpu" });
  expect(answer.checkNext[0]).toMatch(/^cart: its processor limit/);
});

test("a processor that went from one percent to four is not felt", () => {
  expect(ask([series(cart, "cpu", 0.01, [0.04, 0.04, 0.04])]).causes).toEqual([]);
});
