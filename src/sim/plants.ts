/**
 * Bugs to plant, to see that the checks find them: each is one that a hurried change could really make. They wrap what
 * the gateway is built of in a simulated world, and nothing else can reach them.
 */
import { ok } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { Disk } from "../ports.ts";
import type { Plant } from "./gateway.ts";

/** The ledger tells of an entry before its sync came back. */
function tellsEarly(ledger: Ledger): Ledger {
  return {
    append: async (entry) => {
      const appended = ledger.append(entry);
      appended.catch(() => {});
      const { size } = ledger.head();
      return ok({ index: size, treeSize: size + 1 });
    },
    receipt: (index) => ledger.receipt(index),
    head: () => ledger.head(),
    healthy: () => ledger.healthy(),
    close: () => ledger.close(),
  };
}

/** The disk's sync is begun and not awaited. */
function syncsLater(disk: Disk): Disk {
  return {
    ...disk,
    openAppend: async (path, keepBytes) => {
      const opened = await disk.openAppend(path, keepBytes);
      if (!opened.ok) return opened;
      const file = opened.value;
      return ok({
        get sizeBytes(): number {
          return file.sizeBytes;
        },
        append: (bytes) => file.append(bytes),
        sync: async () => {
          void file.sync();
          return ok(undefined);
        },
        close: () => file.close(),
      });
    },
  };
}

/** A failed sync is tried again, and the second success is believed. */
function syncsAgain(disk: Disk): Disk {
  return {
    ...disk,
    openAppend: async (path, keepBytes) => {
      const opened = await disk.openAppend(path, keepBytes);
      if (!opened.ok) return opened;
      const file = opened.value;
      return ok({
        get sizeBytes(): number {
          return file.sizeBytes;
        },
        append: (bytes) => file.append(bytes),
        sync: async () => {
          const synced = await file.sync();
          return synced.ok ? synced : file.sync();
        },
        close: () => file.close(),
      });
    },
  };
}

export const plants: ReadonlyMap<string, Plant> = new Map([
  ["forward-before-sync", { ledger: tellsEarly }],
  ["sync-not-awaited", { disk: syncsLater }],
  ["sync-retried", { disk: syncsAgain }],
]);
