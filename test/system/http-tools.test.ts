/** The HTTP face on real sockets: front server, transport and the payments program; only the spine is the test's. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveFront, undiciTransport } from "../../src/adapters/http/index.ts";
import { readOpenApiFile } from "../../src/adapters/openapi/index.ts";
import { httpTools, readOpenApi } from "../../src/gateway/index.ts";
import { recordingLog } from "../../src/sim/index.ts";
import { startPayments } from "../fixtures/payments-program.ts";
import { fakeSpine, identifier } from "../unit/gateway/fake-spine.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-http-"));
const journal = join(folder, "journal.jsonl");
const world: { port: number; closers: (() => unknown)[] } = { port: 0, closers: [] };
const spine = fakeSpine(({ args }) =>
  JSON.stringify(args).includes("75000") ? { decision: "deny" } : {},
);

beforeAll(async () => {
  const payments = await startPayments(journal);
  const document = await readOpenApiFile("examples/payments/openapi.yaml");
  const routes = document.ok ? readOpenApi(document.value) : document;
  if (!routes.ok) throw new Error(String(routes.error));
  const transport = undiciTransport({ addresses: "not_metadata" });
  const upstream = {
    name: "payments",
    baseUrl: payments.base,
    routes: routes.value,
    headers: { authorization: "Bearer upstream" },
    forwardHeaders: [],
    opaqueBodies: "digest",
  } as const;
  const face = httpTools({
    upstreams: new Map([["payments", upstream]]),
    spine,
    identifier,
    transport,
  });
  const server = await serveFront(face, { host: "127.0.0.1", port: 0, log: recordingLog() });
  world.port = server.port;
  world.closers = [() => server.close(0), () => transport.close(), () => payments.stop()];
});

afterAll(async () => {
  for (const close of world.closers) await close();
  rmSync(folder, { recursive: true });
});

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The path goes out byte for byte; no client normalises it. */
async function ask(method: string, path: string, body?: string): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const headers = {
      authorization: "Bearer buyer",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const sent = request(
      { host: "127.0.0.1", port: world.port, method, path, headers },
      (answer) => {
        const { statusCode: status, headers: got } = answer;
        text(answer).then((read) => resolve({ status, headers: got, body: read }), reject);
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

const journalled = (): readonly Record<string, unknown>[] =>
  readFileSync(journal, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a payment goes through once, as judged, and comes back with its decision", async () => {
  const made = await ask(
    "POST",
    "/http/payments/payments",
    '{ "amount": 5,\n "currency": "EUR", "account_id": "x" }',
  );
  expect(made).toMatchObject({
    status: 201,
    headers: { location: "/http/payments/payments/pay_1", "holdfast-decision": "allow" },
  });
  const [received] = journalled();
  expect(received).toMatchObject({
    method: "POST",
    url: "/payments",
    body: '{"amount":5,"currency":"EUR","account_id":"x"}',
    headers: { authorization: "Bearer upstream", "idempotency-key": "call-1" },
  });
  const read = await ask("GET", "/http/payments/payments/pay_1");
  expect([read.status, JSON.parse(read.body)]).toMatchObject([200, { amount: 5 }]);
  const head = await ask("HEAD", "/http/payments/payments/pay_1");
  expect([head.status, head.body]).toEqual([200, ""]);
});

test("nothing refused reaches the upstream", async () => {
  const before = journalled().length;
  const refused: readonly (readonly [number, string, string, string?])[] = [
    [403, "POST", "/http/payments/payments", '{"amount":75000,"currency":"EUR","account_id":"x"}'],
    [400, "POST", "/http/payments/payments", '{"amount":1,"amount":2}'],
    [400, "POST", "/http/payments/payments", '{"amount":9007199254740993}'],
    [400, "GET", "/http/payments/payments/..%2f..%2fadmin"],
    [400, "GET", "/http/payments/payments/%2e%2e/admin"],
    [400, "GET", "/http/payments/../payments/pay_1"],
    [400, "GET", "/http/payments/payments/a%252fb"],
    [400, "GET", "/http/payments/payments?limit=1&limit=2"],
    [404, "GET", "/http/payments/admin"],
    [405, "DELETE", "/http/payments/payments/pay_1"],
    [404, "GET", "/http/other/payments"],
  ];
  for (const [status, method, path, body] of refused) {
    const answer = await ask(method, path, body);
    expect([method, path, answer.status]).toEqual([method, path, status]);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  }
  expect(journalled().length).toBe(before);
});
