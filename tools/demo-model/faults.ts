/** What goes wrong, and what happens beside it: what the pipeline announces, what is done to the shop, and what must be named. */
import type { CauseKind, ChangeKind, NodeId } from "../../src/model/index.ts";
import { firstVersion, type Shop, usualDefaults } from "./shop.ts";

/** A change as the shop's pipeline announces it: the `data` of a CloudEvent. */
export interface Announcement {
  readonly id: string;
  readonly kind: ChangeKind;
  readonly title: string;
  readonly actor: string;
  readonly targets: readonly NodeId[];
  readonly before: string;
  readonly after: string;
  readonly diff: readonly {
    readonly path: string;
    readonly removed: readonly string[];
    readonly added: readonly string[];
  }[];
}

export interface Fault {
  readonly name: string;
  /** Undefined: nobody of ours changed anything. */
  readonly announced?: Announcement;
  readonly symptom: string;
  inject(shop: Shop): Promise<void> | void;
  /** What ends it, and how that is announced. */
  readonly fix: Announcement;
  repair(shop: Shop): Promise<void> | void;
  /** Any of these names the cause. */
  readonly nodes: readonly NodeId[];
  readonly kinds: readonly CauseKind[];
  /** How it really comes to the symptom: from what is broken to who is asked about. */
  readonly way: readonly NodeId[];
}

const front = "service:frontend";
const defaults = "config:defaults";

function revert(of: Announcement): Announcement {
  const { before: after, after: before, diff, ...same } = of;
  return {
    ...same,
    ...{ id: `${of.id}-revert`, title: `Revert "${of.title}"`, before, after },
    diff: diff.map(({ path, removed, added }) => ({ path, removed: added, added: removed })),
  };
}

function badDefault(): Fault {
  const announced: Announcement = {
    ...{ id: "shop-defaults-42", kind: "config", actor: "rollout-bot", targets: [defaults] },
    title: "Release 42 of the shop's defaults: fail faster",
    ...{ before: "41", after: "42" },
    diff: [
      {
        path: "defaults.json",
        removed: ['"catalogueTimeoutMs": 1000'],
        added: ['"catalogueTimeoutMs": 15'],
      },
    ],
  };
  return {
    ...{ name: "bad default", announced, symptom: "frontend errors", fix: revert(announced) },
    inject: (shop) => shop.set("defaults.json", { ...usualDefaults, catalogueTimeoutMs: 15 }),
    repair: (shop) => shop.set("defaults.json", usualDefaults),
    ...{ nodes: [defaults, "service:cart"], kinds: ["change.config"] },
    way: [defaults, "service:cart", front],
  };
}

function badDeploy(): Fault {
  const announced: Announcement = {
    ...{ id: "payment-1.8.0", kind: "deploy", actor: "pipeline", targets: ["service:payment"] },
    title: "payment 1.8.0: currency in upper case",
    ...{ before: firstVersion, after: "1.8.0" },
    diff: [
      {
        path: "src/charge.ts",
        removed: ['const currency = query.get("currency") ?? "EUR";'],
        added: ['const currency = query.get("currency").toUpperCase();'],
      },
    ],
  };
  return {
    ...{ name: "crashing deploy", announced, symptom: "frontend errors", fix: revert(announced) },
    inject: (shop) => shop.deploy("payment", "1.8.0"),
    repair: (shop) => shop.deploy("payment", firstVersion),
    ...{ nodes: ["service:payment"], kinds: ["change.code"] },
    way: ["service:payment", front],
  };
}

function badFlag(): Fault {
  const announced: Announcement = {
    ...{ id: "bundle-discounts", kind: "flag", actor: "dana", targets: ["service:cart"] },
    title: "bundle-discounts is on for everybody",
    ...{ before: "false", after: "true" },
    diff: [{ path: "bundle-discounts", removed: ["false"], added: ["true"] }],
  };
  return {
    ...{ name: "flag", announced, symptom: "frontend latency", fix: revert(announced) },
    inject: (shop) => shop.set("flags.json", { "bundle-discounts": true }),
    repair: (shop) => shop.set("flags.json", { "bundle-discounts": false }),
    ...{ nodes: ["service:cart", "flag:bundle-discounts"], kinds: ["change.flag"] },
    way: ["service:cart", front],
  };
}

function restarted(service: string): Announcement {
  return {
    ...{
      id: `${service}-moved`,
      kind: "restart",
      actor: "on-call",
      targets: [`service:${service}`],
    },
    ...{ title: `${service} is moved to another machine`, before: "", after: "", diff: [] },
  };
}

function slowDependency(): Fault {
  return {
    ...{ name: "slow dependency", symptom: "frontend latency", fix: restarted("catalogue") },
    inject: (shop) => shop.set("machines.json", { catalogue: { slowMs: 300 } }),
    repair: (shop) => shop.set("machines.json", {}),
    nodes: ["service:catalogue"],
    kinds: ["code.latency", "compute.cpu", "host.saturated", "network.delay"],
    way: ["service:catalogue", front],
  };
}

function burningProcessor(): Fault {
  return {
    ...{ name: "burning processor", symptom: "frontend latency", fix: restarted("catalogue") },
    inject: (shop) => shop.set("machines.json", { catalogue: { burn: 0.85 } }),
    repair: (shop) => shop.set("machines.json", {}),
    nodes: ["service:catalogue"],
    kinds: ["compute.cpu", "code.latency", "host.saturated"],
    way: ["service:catalogue", front],
  };
}

function bankDown(): Fault {
  const bank = "external:bank.example.com";
  return {
    ...{ name: "provider", symptom: "frontend errors" },
    fix: { ...restarted("bank"), targets: [bank], title: "the bank works again" },
    inject: (shop) => shop.set("bank.json", { down: true }),
    repair: (shop) => shop.set("bank.json", { down: false }),
    ...{ nodes: [bank, "external:provider"], kinds: ["external.provider"] },
    way: [bank, "service:payment", front],
  };
}

const faults = [
  badDefault,
  badDeploy,
  badFlag,
  slowDependency,
  burningProcessor,
  bankDown,
] as const;

/** One of them, by the seed. */
export function faultOf(seed: number): Fault {
  return (faults[seed % faults.length] ?? badDefault)();
}

/** Goes out in the same minute, to something that the trouble does not come from. */
export const innocent: Announcement = {
  ...{ id: "worker-2.4.0", kind: "deploy", actor: "pipeline", targets: ["service:worker"] },
  title: "worker 2.4.0: orders are counted",
  ...{ before: "2.3.9", after: "2.4.0" },
  diff: [
    {
      path: "src/orders.ts",
      removed: [],
      added: ["ordersAccepted.add(1);"],
    },
  ],
};
