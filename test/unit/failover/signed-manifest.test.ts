/** A manifest that people signed: opened as what it is, or refused. */
import { expect, test } from "vitest";
import { manifestReader } from "../../../src/cli/index.ts";
import {
  cosignEnvelope,
  type Manifest,
  manifestDigest,
  manifestPayloadType,
  signEnvelope,
} from "../../../src/failover/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";
import { namedSigner, sampleManifest } from "../../fixtures/sample-manifest.ts";

const reader = await manifestReader();
const now = "2026-11-25T12:00:00Z";

async function sample(): Promise<Manifest> {
  const { manifest, diagnostics } = reader.read("m.yaml", sampleManifest, now);
  if (manifest === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  return manifest;
}

const alice = namedSigner("alice");
const bob = namedSigner("bob");

async function signed(change: (manifest: Manifest) => unknown = (same) => same): Promise<string> {
  const payload = change(await sample()) as JsonObject;
  return JSON.stringify(signEnvelope(manifestPayloadType, payload, alice));
}

test("a signed manifest is opened with its digest, signers and warnings", async () => {
  const read = reader.readSigned(await signed(), [alice.vkey], now);
  if (!read.ok) throw new Error(read.error.join("\n"));
  expect(read.value.manifest).toEqual(await sample());
  expect(read.value.digest).toBe(manifestDigest(await sample()));
  expect(read.value.signedBy).toEqual([expect.stringMatching(/^alice\+[0-9a-f]{8}$/)]);
  expect(read.value.warnings).toHaveLength(4);
});

test("two people must sign where two are asked for", async () => {
  const envelope = signEnvelope(
    manifestPayloadType,
    (await sample()) as unknown as JsonObject,
    alice,
  );
  const one = reader.readSigned(JSON.stringify(envelope), [alice.vkey, bob.vkey], now, 2);
  expect(one.ok).toBe(false);
  const both = JSON.stringify(cosignEnvelope(envelope, bob));
  expect(reader.readSigned(both, [alice.vkey, bob.vkey], now, 2).ok).toBe(true);
});

test("AG-403 4.1, 8.1 (our reading of AG-403): tampered, unsigned, by a stranger, or wrong although signed: refused", async () => {
  const text = await signed();
  const envelope = JSON.parse(text) as { payload: string };
  const body = Buffer.from(envelope.payload, "base64").toString();
  const other = Buffer.from(body.replace('"version":3', '"version":4')).toString("base64");
  const cases: readonly (readonly [string, string])[] = [
    [JSON.stringify({ ...envelope, payload: other }), "does not verify"],
    [JSON.stringify({ ...envelope, signatures: [] }), "signed by 0 of 1 trusted keys"],
    ["", "no strict JSON"],
    [sampleManifest, "no strict JSON"],
    [
      await signed((one) => ({ ...one, components: one.components.slice(1) })),
      "no component is of class enforcement",
    ],
    [await signed((one) => ({ ...one, extra: 1 })), 'unknown field "extra"'],
    [await signed(({ tenant: _, ...rest }) => rest), "leaves something to defaults"],
  ];
  for (const [envelopeText, because] of cases) {
    const read = reader.readSigned(envelopeText, [alice.vkey], now);
    expect(read.ok ? "accepted" : read.error.join("\n")).toContain(because);
  }
  expect(reader.readSigned(text, [bob.vkey], now).ok).toBe(false);
  expect(reader.readSigned(text, [], now).ok).toBe(false);
});
