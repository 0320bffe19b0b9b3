/** The fence of the `Store` port in a race: many write under an epoch while somebody raises it. */
import { expect } from "vitest";
import type { Store } from "../../src/ports.ts";
import type { StoreSubject } from "./store-contract.ts";

/** What was written when the raise is acknowledged is all that is ever written under the epoch before it. */
export async function fenceRace({ open }: StoreSubject): Promise<void> {
  const stores = [await open(), await open(), await open(), await open()];
  const [raiser, ...writers] = stores;
  for (let epoch = 1; epoch <= 10; epoch++) {
    const written = writers.map((store, at) => writeUnder(store, epoch, `own/${at}`));
    // Under load: each has written a few times under it.
    for (let seen = 0; seen < 3; seen = await least(raiser, epoch, writers.length)) await tick();
    await raise(raiser, epoch + 1);
    const acknowledged = await valuesOf(raiser, writers.length);
    expect(await Promise.all(written)).toEqual(writers.map(() => "fenced"));
    expect(await valuesOf(raiser, writers.length), `epoch ${epoch}`).toEqual(acknowledged);
  }
  await Promise.all(stores.map((store) => store.close()));
}

const fence = "fence";
const owns = (count: number): string[] => Array.from({ length: count }, (_, at) => `own/${at}`);
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Until the fence says that it may not; each time one more, beside its epoch. */
async function writeUnder(store: Store, epoch: number, key: string): Promise<string> {
  for (;;) {
    let isFenced = false;
    const attempted = await store.attempt(
      [key],
      (found) => {
        isFenced = Number(found.get(fence)?.["epoch"] ?? 1) > epoch;
        const before = found.get(key);
        const n = before?.["epoch"] === epoch ? Number(before["n"]) + 1 : 1;
        return isFenced ? new Map() : new Map([[key, { epoch, n }]]);
      },
      { key: fence, raises: false },
    );
    if (isFenced) return "fenced";
    await tick();
    if (!attempted.ok && attempted.error.kind !== "conflict" && attempted.error.kind !== "busy")
      return attempted.error.detail;
  }
}

async function valuesOf(store: Store | undefined, count: number): Promise<unknown> {
  const read = await store?.read(owns(count));
  return read?.ok ? Object.fromEntries(read.value) : read;
}

async function least(store: Store | undefined, epoch: number, count: number): Promise<number> {
  const read = await store?.read(owns(count));
  const written = read?.ok ? [...read.value.values()] : [];
  const counts = written.map((each) => (each["epoch"] === epoch ? Number(each["n"]) : 0));
  return counts.length < count ? 0 : Math.min(...counts);
}

/** However busy the others are. */
async function raise(store: Store | undefined, epoch: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const raised = await store?.attempt([fence], () => new Map([[fence, { epoch }]]), {
      key: fence,
      raises: true,
    });
    if (raised?.ok === true) return;
  }
  throw new Error("the writers keep the new epoch out");
}
