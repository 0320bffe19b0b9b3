/** Our log, verified by golang.org/x/mod/sumdb, which shares no code with us. `tools/prepare.ts` installs Go. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { openDisk } from "../../src/adapters/disk/index.ts";
import { openSigner } from "../../src/adapters/keys/index.ts";
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

const verify = (vkey: string): Verified => run(log, vkey);

function run(...args: readonly string[]): Verified {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, text: stdout + stderr };
}

test("the foreign verifier accepts a receipt, and none that was changed", () => {
  const vkey = readFileSync(join(log, "log.vkey"), "utf8").trim();
  expect(run("-receipt", receipt, vkey)).toMatchObject({ status: 0 });
  const text = readFileSync(receipt, "utf8");
  const changed = join(folder, "changed.tlog-proof");
  for (const [from, to] of [
    [/^index 321$/m, "index 320"],
    [/^extra e/m, "extra f"],
  ] as const) {
    writeFileSync(changed, text.replace(from, to));
    expect(run("-receipt", changed, vkey).status).not.toBe(0);
  }
});

test("the foreign verifier accepts the log, and finds a one-byte edit", () => {
  const vkey = readFileSync(join(log, "log.vkey"), "utf8").trim();
  expect(verify(vkey)).toMatchObject({ status: 0 });
  const bundle = join(log, "tile/entries", "001");
  expect(readdirSync(join(log, "tile/entries"))).toContain("001");
  const bytes = readFileSync(bundle);
  const at = 1_000;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(bundle, bytes);
  const { status, text } = verify(vkey);
  expect(status).not.toBe(0);
  expect(text).toMatch(/the entries have root/);
});
