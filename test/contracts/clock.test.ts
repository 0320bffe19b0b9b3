/** The contracts of `Clock`, `Entropy` and `Signer`, held by the real and the simulated alike. */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock, systemEntropy } from "../../src/adapters/clock/index.ts";
import { openSigner } from "../../src/adapters/keys/index.ts";
import { noteVerifier, openNote, signNote } from "../../src/audit/index.ts";
import type { Clock, Entropy, Signer } from "../../src/ports.ts";
import { Random, SimClock, simEntropy, simSigner } from "../../src/sim/index.ts";

interface Timed {
  readonly clock: Clock;
  live<T>(work: Promise<T>): Promise<T>;
}

const clocks: Readonly<Record<string, () => Timed>> = {
  real: () => ({ clock: systemClock, live: (work) => work }),
  simulated: () => {
    const clock = new SimClock();
    return { clock, live: (work) => clock.run(work) };
  },
};

for (const [name, make] of Object.entries(clocks))
  describe(`${name} clock`, () => {
    test("sleeps on the monotonic clock, in order", async () => {
      const { clock, live } = make();
      const start = clock.monotonicMs();
      const woken: string[] = [];
      const sleepers = [
        clock.sleep(30).then(() => woken.push("late")),
        clock.sleep(5).then(() => woken.push("early")),
      ];
      await live(Promise.all(sleepers));
      expect(woken).toEqual(["early", "late"]);
      expect(clock.monotonicMs() - start).toBeGreaterThanOrEqual(29);
    });

    test("an abort wakes at once and never rejects", async () => {
      const { clock, live } = make();
      const start = clock.monotonicMs();
      const abort = new AbortController();
      const slept = clock.sleep(60_000, abort.signal);
      abort.abort();
      await live(slept);
      await live(clock.sleep(60_000, abort.signal));
      expect(clock.monotonicMs() - start).toBeLessThan(1_000);
    });

    test("the wall clock counts milliseconds of this era", () => {
      const { clock } = make();
      expect(clock.wallMs()).toBeGreaterThan(Date.UTC(2025, 0, 1));
      expect(Number.isSafeInteger(clock.wallMs())).toBe(true);
    });
  });

test("a jump of the simulated wall clock does not touch the monotonic one", async () => {
  const clock = new SimClock();
  const [wall, monotonic] = [clock.wallMs(), clock.monotonicMs()];
  clock.jumpWall(-3_600_000);
  await clock.advance(10);
  expect(clock.wallMs()).toBe(wall - 3_600_000 + 10);
  expect(clock.monotonicMs()).toBe(monotonic + 10);
});

test("work that waits for nothing is a deadlock, not a hang", async () => {
  await expect(new SimClock().run(new Promise(() => undefined))).rejects.toThrow("deadlock");
});

const entropies: Readonly<Record<string, () => Entropy>> = {
  real: () => systemEntropy,
  simulated: () => simEntropy(new Random(5)),
};

for (const [name, make] of Object.entries(entropies))
  test(`${name} entropy: as many bytes as asked, and no two alike`, () => {
    const entropy = make();
    const drawn = Array.from({ length: 100 }, () => Buffer.from(entropy.bytes(16)).toString("hex"));
    expect(new Set(drawn).size).toBe(100);
    expect(drawn.every((hex) => hex.length === 32)).toBe(true);
    expect(entropy.bytes(0).length).toBe(0);
    const seen = new Set(entropy.bytes(10_000));
    expect(seen.size).toBe(256);
  });

test("the same seed draws the same", () => {
  expect(new Random(9).bytes(50)).toEqual(new Random(9).bytes(50));
  expect(new Random(9).bytes(50)).not.toEqual(new Random(10).bytes(50));
});

const signers: Readonly<Record<string, (folder: string) => Promise<Signer>>> = {
  real: async (folder) => {
    const signer = await openSigner(join(folder, "keys/log.pem"), "log.example");
    if (!signer.ok) throw new Error(signer.error.detail);
    return signer.value;
  },
  simulated: async () => simSigner("log.example", new Random(3)),
};

for (const [name, make] of Object.entries(signers))
  test(`${name} signer: what it signs verifies under its public key, and nothing else does`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "key-"));
    try {
      const signer = await make(folder);
      expect(signer.publicKey.length).toBe(32);
      const note = signNote("text\n", signer);
      const verifier = noteVerifier(signer.name, signer.publicKey);
      expect(openNote(note, verifier).ok).toBe(true);
      expect(openNote(note.replace("text", "test"), verifier).ok).toBe(false);
      const again = await make(folder);
      expect(Buffer.from(again.publicKey)).toEqual(Buffer.from(signer.publicKey));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

test("a key file is its owner's alone, and a readable or foreign one is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "key-"));
  try {
    const path = join(folder, "log.pem");
    expect((await openSigner(path, "log.example")).ok).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    const { chmod, writeFile } = await import("node:fs/promises");
    await chmod(path, 0o644);
    expect(await openSigner(path, "log.example")).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining("chmod 600") },
    });
    await chmod(path, 0o600);
    await writeFile(path, "no key");
    expect((await openSigner(path, "log.example")).ok).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
