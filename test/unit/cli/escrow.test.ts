/** `holdfast escrow` on a store in memory: what people see, what they can say, and with which exit code it ends. */
import { Command } from "commander";
import { expect, test } from "vitest";
import { registerEscrowCommands } from "../../../src/cli/escrow.ts";
import type { Config } from "../../../src/cli/index.ts";
import {
  attempted,
  claimed,
  type Draft,
  hold,
  holdKeys,
  itemKeys,
  queueKey,
  readItem,
  step,
  unrecordedPrefix,
} from "../../../src/escrow/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const bounds = { itemsMax: 9, bytesMax: 1e6, itemsPerAgentMax: 9, bytesPerAgentMax: 1e6 };

function draft(id: string, upstream = "pay"): Draft {
  return {
    ...{ id, upstream, tool: `${upstream}:write`, face: "http", method: "POST", tenant: "acme" },
    ...{ agent: "buyer", model: null, principal: null, delegation: [], idempotency_key: id },
    ...{ args: { secret: "4111" }, args_digest: id, args_redacted: { secret: "****" }, met: [] },
    ...{ carry: {}, repeats: null, risk: "high", policy_version: "r", determining_rules: [] },
    ...{ cause: { by: "switch", text: "drill" }, instance: "one" },
  };
}

class Desk {
  readonly database: SimDatabase = new SimDatabase(new Random(1), new SimClock(), noStoreFaults);
  readonly state: SharedState = new SharedState(this.database.open());
  fails = false;

  async held(...drafts: readonly Draft[]): Promise<void> {
    for (const each of drafts)
      await this.state.transact(holdKeys(each), (values, now) => hold(values, each, bounds, now));
  }

  /** A gateway took it in hand, and nobody knows what became of it. */
  async lost(id: string): Promise<void> {
    const claim = { call: "x1", instance: "one", log: "l", run: "r", at_ms: 1 };
    for (const take of ["claim", "lose"] as const) {
      const read = await this.state.read([queueKey(id)]);
      const item = read.ok ? readItem(read.value.get(queueKey(id))) : undefined;
      if (item === undefined) throw new Error("not held");
      await this.state.transact(itemKeys(item), (values, now) =>
        step(values, item, (each) =>
          take === "claim"
            ? claimed(each, { ...claim, at_ms: now })
            : attempted(each, "x1", { kind: "unknown", note: "no answer came" }, now),
        ),
      );
    }
  }

  async run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    const said = { code: -1, out: "", err: "" };
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    registerEscrowCommands(program, (command) => command, {
      io: {
        out: (line) => {
          said.out += `${line}\n`;
        },
        err: (line) => {
          said.err += `${line}\n`;
        },
      },
      open: async () =>
        this.fails
          ? err("the store is away")
          : ok({
              state: Object.assign(Object.create(this.state), this.open()),
              config: { upstreams: { pay: {} } } as unknown as Config,
            }),
      exit: (code) => {
        said.code = code;
      },
    });
    await program.parseAsync(["escrow", ...args], { from: "user" });
    return said;
  }

  /** The same state, which a command may close. */
  private open(): Partial<SharedState> {
    const { state } = this;
    return {
      read: (keys) => state.read(keys),
      list: (prefix, countMax, after) => state.list(prefix, countMax, after),
      transact: (keys, change) => state.transact(keys, change),
      close: async () => undefined,
    };
  }
}

test("on and off: thrown, listed, ended; kill's switches are not seen", async () => {
  const desk = new Desk();
  const on = await desk.run("on", "--upstream", "pay", "--reason", "pay is down");
  expect(on).toMatchObject({ code: 0, err: "" });
  const [id = ""] = /escrow-[0-9a-f]{8}/.exec(on.out) ?? [];
  expect(on.out).toContain(`${id}: writes of upstream pay are held back`);
  const listed = await desk.run("list");
  expect(listed.out).toMatch(new RegExp(`${id} +upstream pay .*pay is down`));
  expect(listed.out).toContain("nothing is queued");
  expect((await desk.run("on", "--upstream", "payy")).err).toContain('no upstream "payy"');
  expect(await desk.run("off")).toMatchObject({ code: 2, err: expect.stringContaining("--all") });
  expect((await desk.run("off", id)).out).toContain("still on: escrow-");
  expect((await desk.run("off", "--all")).out).toContain("no escrow is on any more");
  expect((await desk.run("off", id)).err).toBe(`error: no switch ${id} is thrown\n`);
});

test("arguments are shown redacted, and whole only when asked for", async () => {
  const desk = new Desk();
  await desk.held(draft("c1"));
  for (const args of [
    ["list", "--json"],
    ["show", "c1"],
    ["show", "c1", "--json"],
  ]) {
    const { code, out } = await desk.run(...args);
    expect(code).toBe(0);
    expect(out).toContain("****");
    expect(out).not.toContain("4111");
  }
  expect((await desk.run("show", "c1", "--arguments")).out).toContain("4111");
  expect(await desk.run("show", "c9")).toMatchObject({
    code: 2,
    err: "error: c9 is not in escrow\n",
  });
  expect((await desk.run("show", "../x")).err).toContain("is no id of a held write");
});

test("release and discard need a reason and a choice, and leave a word for the record", async () => {
  const desk = new Desk();
  await desk.held(draft("c1"), draft("c2"), draft("d1", "docs"));
  expect((await desk.run("release", "c1")).err).toContain("say why with --reason");
  expect((await desk.run("release", "--reason", "x")).code).toBe(2);
  expect((await desk.run("release", "c1", "--upstream", "pay", "--reason", "x")).code).toBe(2);
  const one = await desk.run("release", "c2", "--reason", "fine", "--json");
  expect(JSON.parse(one.out)).toEqual({ id: "c2", state: "released", before: "queued" });
  const all = await desk.run("release", "--upstream", "pay", "--reason", "fine");
  expect(all).toMatchObject({ code: 0, out: "c1: released (pay:write of buyer)\n" });
  expect(await desk.run("release", "c1", "--reason", "again")).toMatchObject({
    code: 1,
    err: "error: c1 is released, so it cannot be released\n",
  });
  expect((await desk.run("discard", "d1", "c1", "--reason", "not wanted")).code).toBe(0);
  expect((await desk.run("release", "d1", "--reason", "x")).err).toContain(
    "d1 is discarded; that is final",
  );
  const closed = JSON.parse((await desk.run("list", "--closed", "--json")).out);
  expect(closed.items).toMatchObject([
    { id: "d1", state: "discarded", ended: { reason: "not wanted" } },
    { id: "c1", state: "discarded" },
  ]);
  const words = await desk.state.list(unrecordedPrefix, 9);
  expect(words.ok && words.value.map(({ value }) => `${value["step"]} ${value["id"]}`)).toEqual([
    "released c1",
    "discarded c1",
    "released c2",
    "discarded d1",
  ]);
});

test("reconcile says what nobody knows and how to go on; its end is a person's word", async () => {
  const desk = new Desk();
  await desk.held(draft("c1"), draft("c2"));
  expect(await desk.run("reconcile")).toMatchObject({
    code: 0,
    out: "2 queued, 0 under way, 0 unknown\n",
  });
  await desk.run("release", "--upstream", "pay", "--reason", "go");
  await desk.lost("c1");
  // What waits behind it moves no more, so there is nothing to wait for.
  const looked = await desk.run("reconcile", "--wait-seconds", "30");
  expect(looked.code).toBe(1);
  expect(looked.out).toContain("0 queued, 1 under way, 1 unknown");
  expect(looked.out).toContain("with Idempotency-Key c1");
  expect(looked.out).toContain('holdfast escrow reconcile c1 --done --reason "…"');
  expect(JSON.parse((await desk.run("reconcile", "--json")).out).unknown).toMatchObject([
    { id: "c1" },
  ]);
  expect((await desk.run("reconcile", "c1")).code).toBe(2);
  expect((await desk.run("reconcile", "c2", "--done", "--reason", "x")).err).toContain(
    "c2 is released, so it cannot be executed",
  );
  // Never by naming the upstream alone: it may act twice.
  expect((await desk.run("release", "--upstream", "pay", "--reason", "x")).out).toContain(
    "nothing to release",
  );
  expect(await desk.run("reconcile", "c1", "--done", "--reason", "in the books")).toMatchObject({
    code: 0,
    out: "c1: executed (pay:write of buyer)\n",
  });
});

test("what an agent calls itself cannot move the cursor", async () => {
  const desk = new Desk();
  await desk.held({ ...draft("c1"), agent: "buyer\u001b[2J" });
  const listed = await desk.run("list");
  const said = await desk.run("discard", "c1", "--reason", "x");
  for (const { out } of [listed, said]) {
    expect(out).toContain("buyer�[2J");
    expect(out).not.toContain("\u001b");
  }
});

test("a store that is away is exit code 2", async () => {
  const desk = new Desk();
  desk.fails = true;
  expect(await desk.run("list")).toMatchObject({ code: 2, err: "error: the store is away\n" });
});
