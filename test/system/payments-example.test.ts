/** The payments API of the examples, as a program. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PaymentsProgram, startPayments } from "../fixtures/payments-program.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-payments-"));
const journal = join(folder, "journal.jsonl");
const started: { program?: PaymentsProgram; base: string } = { base: "" };

beforeAll(async () => {
  const program = await startPayments(journal);
  Object.assign(started, { program, base: program.base });
});

afterAll(() => {
  started.program?.stop();
  rmSync(folder, { recursive: true });
});

const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${started.base}/payments`, { method: "POST", body, headers });

test("a payment is made once per idempotency key, read back, listed and journalled", async () => {
  const body = JSON.stringify({ amount: 5, currency: "EUR", account_id: "x" });
  const made = await post(body, { "idempotency-key": "k" });
  expect([made.status, made.headers.get("location")]).toEqual([201, "/payments/pay_1"]);
  const again = await post(body, { "idempotency-key": "k" });
  expect(await again.json()).toEqual(await made.json());
  expect(await (await fetch(`${started.base}/payments/pay_1`)).json()).toMatchObject({ amount: 5 });
  const listed = (await (await fetch(`${started.base}/payments?limit=5`)).json()) as {
    payments: unknown[];
  };
  expect(listed.payments.length).toBe(1);
  const lines = readFileSync(journal, "utf8").trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { method: string }).method)).toEqual([
    "POST",
    "POST",
    "GET",
    "GET",
  ]);
});

test.each([
  ["{", 400],
  ["[]", 400],
  ['{"amount":0,"currency":"EUR","account_id":"x"}', 400],
  ['{"amount":1,"currency":"eur","account_id":"x"}', 400],
  ['{"amount":1,"currency":"EUR"}', 400],
])("%s is refused", async (body, status) => {
  expect((await post(body)).status).toBe(status);
});

test("unknown things are not found", async () => {
  expect((await fetch(`${started.base}/payments/pay_99`)).status).toBe(404);
  expect((await fetch(`${started.base}/other`)).status).toBe(404);
  expect((await fetch(`${started.base}/payments/pay_1`, { method: "DELETE" })).status).toBe(405);
});
