/** The contract of the `Disk` port, held by the real one and the simulated one alike. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openDisk } from "../../src/adapters/disk/index.ts";
import type { AppendFile, Disk } from "../../src/ports.ts";
import { Random, SimClock, SimDisk } from "../../src/sim/index.ts";

interface Subject {
  readonly disk: Disk;
  /** Another process on the same folder. */
  readonly other: Disk;
  live<T>(work: Promise<T>): Promise<T>;
}

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const subjects: Readonly<Record<string, () => Promise<Subject>>> = {
  real: async () => {
    const folder = await mkdtemp(join(tmpdir(), "disk-"));
    folders.push(folder);
    const root = join(folder, "made/when/needed");
    return { disk: openDisk(root), other: openDisk(root), live: (work) => work };
  },
  simulated: async () => {
    const clock = new SimClock();
    const disk = new SimDisk(new Random(1), clock);
    return { disk: disk.mount(), other: disk.mount(), live: (work) => clock.run(work) };
  },
};

const bytes = (text: string): Uint8Array => Buffer.from(text);

for (const [name, make] of Object.entries(subjects))
  describe(name, () => {
    const scenario = (title: string, steps: (subject: Subject) => Promise<void>): void => {
      test(title, async () => {
        const subject = await make();
        await subject.live(steps(subject));
      });
    };

    const open = async (disk: Disk, path: string, keepBytes?: number): Promise<AppendFile> => {
      const opened = await disk.openAppend(path, keepBytes);
      if (!opened.ok) throw new Error(opened.error.code);
      return opened.value;
    };

    const text = async (disk: Disk, path: string): Promise<string> => {
      const read = await disk.read(path);
      return read.ok ? Buffer.from(read.value).toString() : read.error.kind;
    };

    scenario("an absent file is not found, an absent folder is empty", async ({ disk }) => {
      expect(await disk.read("a/b")).toEqual({
        ok: false,
        error: { kind: "not_found", code: "ENOENT", path: "a/b" },
      });
      expect(await disk.list("a")).toEqual({ ok: true, value: [] });
      expect(await disk.remove("a/b")).toMatchObject({ ok: false, error: { kind: "not_found" } });
    });

    scenario("replace makes parents, and leaves the new content whole", async ({ disk, other }) => {
      expect(await disk.replace("a/b/c", bytes("first, and longer"))).toEqual({ ok: true });
      expect(await disk.replace("a/b/c", bytes("second"))).toEqual({ ok: true });
      expect(await text(other, "a/b/c")).toBe("second");
      expect(await disk.replace("a/empty", bytes(""))).toEqual({ ok: true });
      expect(await text(other, "a/empty")).toBe("");
    });

    scenario("list is sorted, marks folders, shows nothing unfinished", async ({ disk }) => {
      for (const path of ["a/10", "a/9", "a/b/c", "a/b/d"]) await disk.replace(path, bytes("x"));
      expect(await disk.list("a")).toEqual({ ok: true, value: ["10", "9", "b/"] });
      expect(await disk.list("a/b")).toEqual({ ok: true, value: ["c", "d"] });
    });

    scenario("appends in order; an opening keeps what is there", async ({ disk, other }) => {
      const file = await open(disk, "j/1");
      expect(file.sizeBytes).toBe(0);
      await file.append(bytes("one "));
      await file.append(bytes("two "));
      expect(file.sizeBytes).toBe(8);
      expect(await file.sync()).toEqual({ ok: true });
      await file.close();
      const again = await open(disk, "j/1");
      expect(again.sizeBytes).toBe(8);
      await again.append(bytes("three"));
      await again.close();
      expect(await text(other, "j/1")).toBe("one two three");
    });

    scenario("keepBytes cuts the rest, and appends follow the cut", async ({ disk }) => {
      const file = await open(disk, "j");
      await file.append(bytes("keep torn tail"));
      await file.close();
      const cut = await open(disk, "j", 4);
      expect(cut.sizeBytes).toBe(4);
      await cut.append(bytes("!"));
      await cut.close();
      expect(await text(disk, "j")).toBe("keep!");
    });

    scenario("remove", async ({ disk }) => {
      await disk.replace("a", bytes("x"));
      expect(await disk.remove("a")).toEqual({ ok: true });
      expect(await text(disk, "a")).toBe("not_found");
      const file = await open(disk, "a");
      expect(file.sizeBytes).toBe(0);
      await file.close();
    });

    scenario("a lock is held by one at a time", async ({ disk, other }) => {
      const held = await disk.lock("lock");
      if (!held.ok) throw new Error(held.error.code);
      for (const each of [disk, other])
        expect(await each.lock("lock")).toMatchObject({ ok: false, error: { kind: "refused" } });
      await held.value.release();
      await held.value.release();
      const taken = await other.lock("lock");
      expect(taken.ok).toBe(true);
      if (taken.ok) await taken.value.release();
    });
  });
