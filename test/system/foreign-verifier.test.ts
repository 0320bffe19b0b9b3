/**
 * Our log and receipts, verified by golang.org/x/mod/sumdb, which shares no code with us: entries, hash tiles, checkpoint.
 * `tools/prepare.ts` installs Go. The other direction, a log that foreign code wrote, is in `tools/vectors/tessera.ts`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { openDisk } from "../../src/adapters/disk/index.ts";
import { openSigner } from "../../src/adapters/keys/index.ts";
import { type NoteVerifier, parseVkey, verifyLog, verifyReceipt } from "../../src/audit/index.ts";
import { openLedger } from "../../src/ledger/index.ts";
import { policyEntry } from "../unit/ledger/entries.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-foreign-"));
const log = join(folder, "log");
const program = join(folder, "verify");
const receipt = join(folder, "321.tlog-proof");
const entries = 700;

beforeAll(async () => {
  const built = spawnSync("go", ["build", "-o", program, "test/foreign/verify.go"], {
    env: {
      ...process.env,
      GO111MODULE: "off",
      GOPATH: "/usr/share/gocode",
      GOCACHE: join(folder, "cache"),
    },
    encoding: "utf8",
  });
  expect(built.status, built.stderr || String(built.error)).toBe(0);
  const signer = await openSigner(join(folder, "key.pem"), "gateway.example/log");
  if (!signer.ok) throw new Error(signer.error.detail);
  const ledger = await openLedger({
    disk: openDisk(log),
    signer: signer.value,
    clock: systemClock,
    tenant: "t",
    origin: { instance: "i-1", site: "standalone", epoch: 0 },
    holdfastVersion: "0.1.0",
  });
  if (!ledger.ok) throw new Error(ledger.error.detail);
  const appended = Array.from({ length: entries }, (_, i) =>
    ledger.value.append(policyEntry(`r${i}`, 100)),
  );
  expect((await Promise.all(appended)).every(({ ok }) => ok)).toBe(true);
  writeFileSync(receipt, ledger.value.receipt(321) ?? "");
  await ledger.value.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Verified {
  readonly status: number | null;
  readonly text: string;
}

function foreign(...args: readonly string[]): Verified {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, text: stdout + stderr };
}

const vkey = (): string => readFileSync(join(log, "log.vkey"), "utf8").trim();

function ownVerifier(): NoteVerifier {
  const verifier = parseVkey(vkey());
  if (!verifier.ok) throw new Error(verifier.error);
  return verifier.value;
}

/** About `count` places all over a file, the first and last byte among them. */
function placesIn(length: number, count = 12): readonly number[] {
  const step = Math.max(1, Math.floor((length - 1) / (count - 1)));
  const places = Array.from({ length: count }, (_, i) => Math.min(i * step, length - 1));
  return [...new Set([...places, length - 1])];
}

/** With the lowest bit of one byte changed for as long as `look` runs. */
async function edited<T>(path: string, at: number, look: () => T | Promise<T>): Promise<T> {
  const original = readFileSync(path);
  const bytes = Buffer.from(original);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  try {
    return await look();
  } finally {
    writeFileSync(path, original);
  }
}

test("the foreign verifier accepts the log and the receipt", () => {
  expect(foreign(log, vkey())).toMatchObject({ status: 0 });
  expect(foreign("-receipt", receipt, vkey())).toMatchObject({ status: 0 });
});

/** Level 1 holds the hashes of the two full tiles below it. */
const filesOfLog: readonly string[] = [
  "tile/entries/000",
  "tile/entries/001",
  `tile/entries/002.p/${entries + 1 - 512}`,
  "tile/0/000",
  "tile/0/001",
  `tile/0/002.p/${entries + 1 - 512}`,
  "tile/1/000.p/2",
];

test("this is every file that a log of this size needs", () => {
  const tiles = readdirSync(join(log, "tile"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(log, join(entry.parentPath, entry.name)));
  expect(tiles.sort()).toEqual([...filesOfLog].sort());
});

test.each(filesOfLog)(
  "one byte of %s changed: the foreign verifier finds it, and so do we",
  async (name) => {
    const path = join(log, name);
    for (const at of placesIn(readFileSync(path).length)) {
      const found = await edited(path, at, async () => ({
        foreign: foreign(log, vkey()).status,
        own: await verifyLog({ files: openDisk(log), verifier: ownVerifier() }),
      }));
      expect(found.foreign, `byte ${at}`).not.toBe(0);
      expect(found.own.ok, `byte ${at}`).toBe(false);
    }
  },
);

const signed = [
  ["checkpoint", (): string => join(log, "checkpoint"), (): Verified => foreign(log, vkey())],
  ["receipt", (): string => receipt, (): Verified => foreign("-receipt", receipt, vkey())],
] as const;

const ownAccepts = async (kind: "checkpoint" | "receipt"): Promise<boolean> =>
  kind === "receipt"
    ? verifyReceipt(readFileSync(receipt, "utf8"), ownVerifier()).ok
    : (await verifyLog({ files: openDisk(log), verifier: ownVerifier() })).ok;

/**
 * What a text says, its base64 decoded: the last character before the padding has bits to spare, and a changed one there
 * (0 for 1, 4 for 5, 8 for 9) can be the same bytes in another spelling.
 */
function meaning(text: string): string {
  return text.replace(/[A-Za-z0-9+/]+={1,2}$/gm, (coded) =>
    Buffer.from(coded, "base64").toString("hex"),
  );
}

test.each(signed)(
  "one byte of a %s changed: we find it, and the foreign verifier finds all that says something else",
  async (kind, where, look) => {
    const path = where();
    const original = readFileSync(path, "utf8");
    const bytes = Buffer.from(original);
    const spelled = [...original.matchAll(/[048]=/g)].map(({ index }) =>
      Buffer.byteLength(original.slice(0, index)),
    );
    for (const at of new Set([...placesIn(bytes.length, 60), ...spelled])) {
      const found = await edited(path, at, async () => ({
        foreign: look().status,
        own: await ownAccepts(kind),
        harmless: meaning(readFileSync(path, "utf8")) === meaning(original),
      }));
      expect(found.own, `byte ${at}`).toBe(false);
      expect(found.foreign !== 0 || found.harmless, `byte ${at}`).toBe(true);
    }
  },
);

/**
 * Base64 of 68 bytes ends in a character with two bits to spare. x/mod decodes any of them to the same bytes, so such an
 * edit says nothing else; we take only the one canonical form.
 */
test.each(signed)(
  "the one harmless edit of a %s, another spelling of the same signature: we refuse it",
  async (kind, where, look) => {
    const path = where();
    const original = readFileSync(path, "utf8");
    const spelled = original.replace(/([A-Za-z0-9+/])=\n$/, (_, last: string) => {
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      return `${alphabet[alphabet.indexOf(last) + 1]}=\n`;
    });
    expect(spelled).not.toBe(original);
    writeFileSync(path, spelled);
    const found = { foreign: look().status, own: await ownAccepts(kind) };
    writeFileSync(path, original);
    expect(found).toEqual({ foreign: 0, own: false });
  },
);
