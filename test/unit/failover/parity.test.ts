/** AG-403 4.8; our reading of AG-403 8.5: what means the same is no drift, and one byte that means something is. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { drifts, type ParityState, textDigest } from "../../../src/failover/index.ts";
import { parityFiles } from "../../../src/main/parity-files.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-parity-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function digestOf(name: string, text: string): Promise<string> {
  writeFileSync(join(folder, name), text);
  const read = await parityFiles([join(folder, name)]);
  if (!read.ok) throw new Error(read.error);
  return read.value[name] ?? "";
}

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const value = fc.oneof(fc.integer(), fc.boolean(), word, fc.stringMatching(/^[ -~]{0,20}$/));
const settings = fc.dictionary(word, fc.oneof(value, fc.dictionary(word, value, { maxKeys: 4 })), {
  minKeys: 1,
  maxKeys: 6,
});

function reversed(object: object): object {
  const entries = Object.entries(object).map(
    ([key, each]) =>
      [key, typeof each === "object" && each !== null ? reversed(each) : each] as const,
  );
  return Object.fromEntries(entries.reverse());
}

describe("what means the same", () => {
  test("1,000 changes of order, space and comments are no drift", async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (object) => {
        const json = await digestOf("a.json", JSON.stringify(object));
        expect(await digestOf("a.json", JSON.stringify(reversed(object), null, 4))).toBe(json);
        const yaml = await digestOf("a.yaml", stringify(object));
        const commented = `# a comment\n${stringify(reversed(object))}\n`;
        expect(await digestOf("a.yaml", commented)).toBe(yaml);
      }),
      { numRuns: 250 },
    );
    const lines = fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(lines, async (pairs) => {
        const unique = [...new Map(pairs)];
        const env = unique.map(([key, each]) => `${key}=${each}`);
        const shuffled = ["# comment", ...env.toReversed(), ""].join("\n");
        expect(textDigest(shuffled, "environment")).toBe(textDigest(env.join("\n"), "environment"));
        const cfg = pairs.map(([key, each]) => `${key} ${each}`);
        const spaced = pairs.map(([key, each]) => `\t${key}   ${each}  # why`);
        expect(textDigest(spaced.join("\r\n"), "lines")).toBe(textDigest(cfg.join("\n"), "lines"));
      }),
      { numRuns: 500 },
    );
  });
});

describe("one byte that means something", () => {
  const files: Readonly<Record<string, string>> = {
    "policy.yaml": "rules:\n  - id: pay\n    when: args.amount < 5000\n    outcome: allow\n",
    "service.env": "LIMIT=5000\nSECRET_VERSION=7\nIMAGE=sha256:0123abcd\n",
    "haproxy.cfg":
      "backend agents\n  server fra 10.0.0.1:443 check inter 500\n  option httpchk GET /gate\n",
    "versions.json": '{"secrets":{"stripe":12},"image":"sha256:0123abcd"}',
    "ca.pem": "-----BEGIN-----\nAAAA\n-----END-----\n",
  };
  for (const [name, text] of Object.entries(files))
    test(`of ${name} is a drift, wherever it is`, async () => {
      const before = await digestOf(name, text);
      for (const [at, character] of [...text].entries()) {
        if (!/[A-Za-z0-9]/.test(character)) continue;
        const other = character === "7" ? "8" : "7";
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        expect(await digestOf(name, changed), `${name} at ${at}`).not.toBe(before);
      }
    });
});

test("a drift names what differs, here and there", () => {
  const own: ParityState = {
    ...{ format: "holdfast.parity/v1", deployment: "d", tenant: "t", site: "dub", nonce: "n" },
    ...{
      manifest_version: 1,
      manifest_digest: "sha256:a",
      policies: ["p1"],
      files: { x: "1", y: "2" },
    },
  };
  expect(drifts(own, { ...own, site: "fra" })).toEqual([]);
  const acting = {
    ...own,
    manifest_digest: "sha256:b",
    policies: ["p2"],
    files: { x: "1", z: "3" },
  };
  expect(drifts(own, acting).map(({ of }) => of)).toEqual(["manifest", "policy", "y", "z"]);
});
