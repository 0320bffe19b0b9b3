/**
 * Bugs to plant, to see that the checks find them: each is one that a hurried change could really make. They wrap what
 * the gateway is built of in a simulated world, and nothing else can reach them.
 */
import { ok } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { AppendFile, Disk, HttpTransport } from "../ports.ts";
import type { Plant } from "./gateway.ts";

/** The ledger tells of an entry before its sync came back. */
function tellsEarly(ledger: Ledger): Ledger {
  return {
    bundleSerial: ledger.bundleSerial,
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

/** Every append file of a disk with another `sync`. */
function syncing(sync: (file: AppendFile) => ReturnType<AppendFile["sync"]>): (disk: Disk) => Disk {
  return (disk) => ({
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
        sync: () => sync(file),
        close: () => file.close(),
      });
    },
  });
}

/** The sync is begun and not awaited. */
const syncsLater = syncing(async (file) => {
  void file.sync();
  return ok(undefined);
});

/** A failed sync is tried again, and the second success is believed. */
const syncsAgain = syncing(async (file) => {
  const synced = await file.sync();
  return synced.ok ? synced : file.sync();
});

/** What is sent is not quite what was judged: written once more, with spaces. */
function writesAnew(transport: HttpTransport): HttpTransport {
  return {
    send: (request) => {
      const text = Buffer.from(request.body ?? []).toString();
      return transport.send({ ...request, body: Buffer.from(text.replaceAll(":", ": ")) });
    },
  };
}

/** A failed send is tried again, though the upstream may have acted. */
function sendsAgain(transport: HttpTransport): HttpTransport {
  return {
    send: async (request) => {
      const sent = await transport.send(request);
      return sent.ok ? sent : transport.send(request);
    },
  };
}

export const plants: ReadonlyMap<string, Plant> = new Map([
  ["forward-before-sync", { ledger: tellsEarly }],
  ["sync-not-awaited", { disk: syncsLater }],
  ["sync-retried", { disk: syncsAgain }],
  ["rewritten-after-judging", { transport: writesAnew }],
  ["send-retried", { transport: sendsAgain }],
]);
