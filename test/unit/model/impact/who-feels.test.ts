/** Who feels trouble: by structure and traffic without memory, and by what was felt with it. */
import { describe, expect, test } from "vitest";
import {
  type CauseKind,
  type ConfirmedIncident,
  confirm,
  emptyMemory,
  likelyFelt,
  type Memory,
  type Structure,
  type Trouble,
  waitingShare,
  whoFeels,
} from "../../../../src/model/index.ts";

/** web -> front -> cart -> stock with each request, front -> ads with some, and an archive that nobody asks for now. */
const structure: Structure = {
  services: ["ads", "archive", "cart", "front", "stock", "web"].map((name) => `service:${name}`),
  calls: [
    call("web", "front"),
    call("front", "cart"),
    call("front", "ads", 0.2),
    call("cart", "stock"),
    call("front", "archive"),
  ],
  idle: new Set(["service:archive"]),
  servedBy: (node) => on[node] ?? [node.replace("workload:shop/", "service:")],
};
const on: Readonly<Record<string, readonly string[]>> = {
  "host:one": ["service:front", "service:stock"],
};

function call(caller: string, callee: string, part = 1) {
  return { caller: `service:${caller}`, callee: `service:${callee}`, part };
}

function trouble(name: string, kind: CauseKind, share?: number): Trouble {
  const node = name.includes(":") ? name : `workload:shop/${name}`;
  return { node, kind, ...(share === undefined ? {} : { share }) };
}

/** As many incidents, all felt by these. */
function remembering(
  times: number,
  felt: readonly string[],
  of: Trouble,
  from: Memory = emptyMemory,
) {
  return Array.from(
    { length: times },
    (_, i): ConfirmedIncident => ({
      ...{ id: `${of.node} ${of.kind} ${of.share} ${i}`, at: i, confirmedAt: i, chain: [] },
      ...of,
      felt: felt.map((name) => `service:${name}`),
    }),
  ).reduce(confirm, from);
}

const feltBy = (of: Trouble, memory = emptyMemory): readonly string[] =>
  [...likelyFelt(whoFeels(structure, of, memory))]
    .map((each) => each.slice("service:".length))
    .sort();

const probability = (service: string, of: Trouble, memory = emptyMemory): number | undefined =>
  whoFeels(structure, of, memory).find((each) => each.service === `service:${service}`)
    ?.probability;

describe("without memory", () => {
  test("who it starts at and who waits for it, and nobody else", () => {
    expect(feltBy(trouble("cart", "code.exception"))).toEqual(["cart", "front", "web"]);
  });

  test("a caller in as far as its requests wait", () => {
    expect(probability("front", trouble("ads", "code.exception"))).toBeCloseTo(0.2);
    expect(feltBy(trouble("ads", "code.exception"))).toEqual(["ads"]);
  });

  test("where most requests are held, all but who is asked for nothing anyway", () => {
    const everybody = ["ads", "cart", "front", "stock", "web"];
    expect(feltBy(trouble("cart", "network.delay", 1))).toEqual(everybody);
    expect(feltBy(trouble("cart", "network.delay", 0.2))).toEqual(["cart", "front", "web"]);
    expect(feltBy(trouble("cart", "compute.cpu", 1))).toEqual(["cart", "front", "web"]);
  });

  test("of a machine's network, who asks across it; of the machine itself, what runs on it", () => {
    const across = trouble("host:one", "network.loss");
    expect(probability("cart", across)).toBeGreaterThan(0.9);
    expect(probability("stock", across)).toBeLessThan(0.1);
    expect(probability("stock", trouble("host:one", "host.saturated"))).toBeGreaterThan(0.9);
  });
});

test("the share that waits is of requests from outside", () => {
  const entries = new Map([
    ["service:web", 900],
    ["service:cart", 100],
  ]);
  const share = (name: string, of = entries) =>
    waitingShare(structure, trouble(name, "code.exception"), of);
  expect(share("stock")).toBe(1);
  expect(share("ads")).toBeCloseTo(0.18);
  expect(share("ads", new Map())).toBe(undefined);
});

describe("with memory", () => {
  const failing = trouble("cart", "code.exception", 1);

  test("who felt it before", () => {
    expect(feltBy(failing, remembering(6, ["web"], failing))).toEqual(["web"]);
  });

  test("says from which incidents, and nothing of those in which it stood otherwise", () => {
    const memory = remembering(
      1,
      ["web"],
      trouble("stock", "code.result", 1),
      remembering(1, ["web"], failing),
    );
    const told = Object.fromEntries(
      whoFeels(structure, failing, memory).map((each) => [each.service, each.learnedFrom]),
    );
    expect(told["service:web"]).toHaveLength(2);
    expect(told["service:cart"]).toEqual(["workload:shop/cart code.exception 1 0"]);
  });

  test("a place that nothing is known of borrows from how others stood to trouble", () => {
    const memory = remembering(4, ["stock"], trouble("stock", "code.exception", 1));
    expect(probability("front", failing, memory)).toBeLessThan(0.5);
  });

  test("three callers that do not feel one incident are one observation of callers", () => {
    const memory = remembering(1, ["stock"], trouble("stock", "code.exception", 1));
    // Two of caution and one incident; then this caller's own one.
    expect(probability("front", failing, memory)).toBeCloseTo((2 * ((2 * 0.95) / 3)) / 3);
  });

  test("the same field at the same place tells more than the same service elsewhere", () => {
    const elsewhere = remembering(2, ["stock", "web"], trouble("stock", "database.port", 1));
    const here = trouble("cart", "database.credentials", 1);
    const memory = remembering(1, ["cart"], trouble("cart", "database.port", 1), elsewhere);
    expect(probability("web", here, elsewhere)).toBeGreaterThan(0.7);
    expect(probability("web", here, memory)).toBeLessThan(0.4);
  });

  test("another manner, another type of place, and another breadth tell nothing", () => {
    const held = trouble("cart", "network.delay", 1);
    const other = [
      trouble("cart", "code.exception", 1),
      trouble("host:one", "network.delay", 1),
      trouble("cart", "network.delay", 0.1),
    ].reduce((memory, each) => remembering(8, ["ads"], each, memory), emptyMemory);
    expect(whoFeels(structure, held, other)).toEqual(whoFeels(structure, held, emptyMemory));
  });

  test("that nobody felt it tells something too, where it was at one of these", () => {
    expect(probability("front", failing, remembering(4, [], failing))).toBeLessThan(0.4);
    const elsewhere = remembering(4, [], trouble("elsewhere", "code.exception", 1));
    expect(whoFeels(structure, failing, elsewhere)).toEqual(
      whoFeels(structure, failing, emptyMemory),
    );
  });

  test("what happened where none of these services are tells nothing", () => {
    const memory = remembering(8, ["elsewhere"], trouble("cart", "code.exception", 1));
    expect(whoFeels(structure, failing, memory)).toEqual(whoFeels(structure, failing, emptyMemory));
  });

  test("a machine that served others then is another place", () => {
    const now = trouble("host:one", "host.saturated", 1);
    const then = remembering(6, ["ads"], { ...now, served: ["service:ads"] });
    const same = remembering(6, ["ads"], now);
    expect(probability("front", now, same)).toBeLessThan(0.2);
    expect(probability("front", now, then)).toBeGreaterThan(0.8);
  });
});
