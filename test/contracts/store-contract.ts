/** The contract of the `Store` port, held by every store alike. Each test gets stores on one database of its own. */
import { describe, expect, test } from "vitest";
import type { JsonObject, Result } from "../../src/kernel/index.ts";
import type { Store, StoreError } from "../../src/ports.ts";
import { fenceRace } from "./store-fence.ts";

export interface StoreSubject {
  /** Opens the same database again, as another process would. */
  open(): Promise<Store>;
}

export function storeContract(name: string, make: () => Promise<StoreSubject>): void {
  describe(name, () => {
    const scenario = (title: string, steps: (subject: StoreSubject) => Promise<void>): void => {
      test(title, async () => steps(await make()));
    };

    scenario("what was committed is there, for every process", async ({ open }) => {
      const [one, other] = [await open(), await open()];
      expect(await put(one, { "a/1": { n: 1 }, "a/2": { text: "ä\u0000\ud83d\ude00" } })).toEqual({
        ok: true,
        value: undefined,
      });
      const read = await other.read(["a/1", "a/2", "a/3"]);
      expect(read.ok && [...read.value]).toEqual([
        ["a/1", { n: 1 }],
        ["a/2", { text: "ä\u0000\ud83d\ude00" }],
      ]);
      await put(other, { "a/1": null, "a/2": { n: 2 } });
      expect(await values(one, ["a/1", "a/2"])).toEqual({ "a/2": { n: 2 } });
      await closeAll(one, other);
    });

    scenario("compute sees what is there, and writing nothing is no commit", async ({ open }) => {
      const store = await open();
      await put(store, { k: { n: 1 } });
      let seen: unknown;
      const attempted = await store.attempt(["k", "absent"], (found) => {
        seen = Object.fromEntries(found);
        return new Map();
      });
      expect(attempted.ok).toBe(true);
      expect(seen).toEqual({ k: { n: 1 } });
      expect(await values(store, ["k", "absent"])).toEqual({ k: { n: 1 } });
      await closeAll(store);
    });

    scenario(
      "lists by key in ASCII order, from a place on, and only the prefix",
      async ({ open }) => {
        const store = await open();
        const keys = ["p/B", "p/a", "p/a/x", "p/~", "p", "p0", "q/a", "o/z"];
        await put(store, Object.fromEntries(keys.map((key) => [key, { key }])));
        const listed = async (countMax: number, after = ""): Promise<unknown> => {
          const found = await store.list("p/", countMax, after);
          return found.ok ? found.value.map(({ key, value }) => [key, value["key"]]) : found;
        };
        expect(await listed(10)).toEqual(["p/B", "p/a", "p/a/x", "p/~"].map((key) => [key, key]));
        expect(await listed(2)).toEqual(["p/B", "p/a"].map((key) => [key, key]));
        expect(await listed(2, "p/a")).toEqual(["p/a/x", "p/~"].map((key) => [key, key]));
        await closeAll(store);
      },
    );

    scenario("counting at once in several processes loses no count", async ({ open }) => {
      const stores = [await open(), await open(), await open()];
      const each = 25;
      await Promise.all(
        stores.map(async (store, at) => {
          for (let done = 0; done < each; )
            if ((await increment(store, "shared", `own/${at}`)).ok) done++;
        }),
      );
      expect(await values(stores[0], ["shared", "own/0", "own/1", "own/2"])).toEqual({
        shared: { n: 75 },
        "own/0": { n: each },
        "own/1": { n: each },
        "own/2": { n: each },
      });
      await closeAll(...stores);
    });

    scenario("one of many who make the same key makes it", async ({ open }) => {
      const stores = [await open(), await open(), await open(), await open()];
      for (let round = 0; round < 20; round++) {
        const key = `token/${round}`;
        const taken = await Promise.all(stores.map((store, at) => take(store, key, at)));
        expect(taken.filter((got) => got).length, key).toBe(1);
      }
      await closeAll(...stores);
    });

    scenario("nothing is written under an epoch once a newer one was raised", fenceRace);

    scenario("a closed store is unreachable", async ({ open }) => {
      const store = await open();
      await store.close();
      const read = await store.read(["k"]);
      expect(read.ok ? "ok" : read.error.kind).toBe("unreachable");
      const attempted = await put(store, { k: {} });
      expect(attempted.ok ? "ok" : attempted.error.kind).toBe("unreachable");
    });
  });
}

function put(
  store: Store,
  rows: Readonly<Record<string, JsonObject | null>>,
): Promise<Result<void, StoreError>> {
  return store.attempt(Object.keys(rows), () => new Map(Object.entries(rows)));
}

async function values(store: Store | undefined, keys: readonly string[]): Promise<unknown> {
  const read = await store?.read(keys);
  return read?.ok ? Object.fromEntries(read.value) : read;
}

function increment(store: Store, ...keys: readonly string[]): Promise<Result<void, StoreError>> {
  return store.attempt(
    keys,
    (found) => new Map(keys.map((key) => [key, { n: Number(found.get(key)?.["n"] ?? 0) + 1 }])),
  );
}

/** Until it is decided: a conflict and a passing fault decide nothing. */
async function take(store: Store, key: string, by: number): Promise<boolean> {
  for (;;) {
    let free = false;
    const attempted = await store.attempt([key], (found) => {
      free = !found.has(key);
      return free ? new Map([[key, { by }]]) : new Map();
    });
    if (attempted.ok) return free;
    if (attempted.error.kind !== "conflict" && attempted.error.kind !== "busy")
      throw new Error(attempted.error.detail);
  }
}

async function closeAll(...stores: readonly Store[]): Promise<void> {
  await Promise.all(stores.map((store) => store.close()));
}
