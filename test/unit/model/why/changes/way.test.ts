/** A changed setting is judged where it is read, and its chain leads on to what people complain about. */
import { expect, test } from "vitest";
import { defaultSettings, type ModelEvent, why } from "../../../../../src/model/index.ts";
import { change, edge, origin, traffic } from "../../../../fixtures/model-events.ts";

const minute = 60_000;
const at = 100 * minute;
const [front, cart, stock] = ["service:front", "service:cart", "service:stock"];
const told = { knownAt: at, origin };

const events: readonly ModelEvent[] = [
  traffic(at - 50 * minute, front, cart),
  traffic(at - 50 * minute, cart, stock),
  edge(at - 60 * minute, "workload:shop/cart", "config:defaults", { kind: "configured_by" }),
  edge(at - 60 * minute, "workload:shop/cart", cart, { kind: "part_of" }),
  edge(at - 60 * minute, "observer:balancer", cart, { kind: "observes" }),
  {
    ...change(at - 5 * minute, "defaults-42", ["config:defaults"]),
    ...{ kind: "config", title: "defaults 42: fail faster" },
    diff: [
      { path: "defaults.json", removed: ['"stockTimeout": 1000'], added: ['"stockTimeout": 5'] },
    ],
  },
  {
    ...change(at - 4 * minute, "mail-7", ["service:mail"]),
    diff: [{ path: "src/mail.ts", removed: [], added: ["sent.add(1)"] }],
  },
  {
    ...{ type: "log", id: "l", at: at - 4 * minute, ...told, node: cart, severity: "error" },
    template: "stock did not answer within <*> ms: timeout",
    example: "stock did not answer within 5 ms: timeout",
    ...{ entry: "", untilAt: at, count: 40 },
  },
];

test("deploy, setting, reader, caller: each step with the edge it went by", () => {
  const answer = why(events, { at, node: front, signal: "errors" }, defaultSettings);
  const [first] = answer.causes;
  expect([first?.node, first?.kind, first?.change]).toEqual([
    ...["config:defaults", "change.config", "deploy:defaults-42"],
  ]);
  expect(first?.path.map(({ from, edge: by, to }) => `${from} ${by} ${to}`)).toEqual([
    "deploy:defaults-42 changed_by config:defaults",
    "config:defaults configured_by workload:shop/cart",
    "workload:shop/cart part_of service:cart",
    "service:cart calls service:front",
  ]);
});

test("a setting that nobody on the way reads has no way, and is no better placed than before", () => {
  const unread = events.filter((event) => event.type !== "edge");
  const [first] = why(unread, { at, node: front, signal: "errors" }, defaultSettings).causes;
  expect(first?.path.filter(({ to }) => to === front)).toEqual([]);
});

test("an innocent deploy explains nothing that its trouble cannot have come to", () => {
  // `stock` is slow of itself; `mail` was deployed, is called by `front` too, and never calls or is called by `stock`.
  const window = (at: number, ms: number): ModelEvent[] =>
    [
      [null, front, 5],
      [front, stock, ms],
      [front, "service:mail", 5],
    ].map(([caller, callee, self], i) => ({
      ...traffic(at, caller as string | null, callee as string, { id: `${at} ${i}`, count: 20 }),
      ...{ operation: "GET /", entry: "service:front GET /", untilAt: at + minute },
      selfMs: { p50: Number(self), p90: Number(self) * 1.1, max: Number(self) * 1.2 },
      totalMs: { p50: Number(self), p90: Number(self) * 1.1, max: Number(self) * 1.2 },
    }));
  const slow: readonly ModelEvent[] = [
    ...Array.from({ length: 40 }, (_, i) => window(at - (45 - i) * minute, 10 + (i % 3))).flat(),
    ...Array.from({ length: 5 }, (_, i) => window(at - (5 - i) * minute, 400)).flat(),
    {
      ...change(at - 6 * minute, "mail-7", ["service:mail"]),
      diff: [{ path: "src/mail.ts", removed: [], added: ["sent.add(1)"] }],
    },
    {
      ...{ type: "series", id: "cpu", at: at - 45 * minute, ...told, node: stock, signal: "cpu" },
      name: "process.cpu.utilization",
      points: Array.from({ length: 45 }, (_, i) => [at - (45 - i) * minute, i < 40 ? 0.1 : 0.95]),
    },
  ];
  const settings = { ...defaultSettings, lookbackMs: 5 * minute };
  const { causes } = why(slow, { at, node: front, signal: "latency" }, settings);
  expect(causes[0]?.node).toBe(stock);
});
