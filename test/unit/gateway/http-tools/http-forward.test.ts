/** What the upstream of an HTTP tool sees, and what becomes of its answer. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FrontResponse } from "../../../../src/gateway/http-front.ts";
import { httpTools } from "../../../../src/gateway/http-tools/index.ts";
import { TransportFailure } from "../../../../src/ports.ts";
import {
  bodyJson,
  bodyText,
  type FakeAnswer,
  fakeSpine,
  fakeTransport,
  frontRequest,
  identifier,
} from "../fake-spine.ts";
import { literal, payment, upstream, world } from "./pay-world.ts";

describe("what becomes of a forwarded call", () => {
  const forward = async (answer: FakeAnswer) => {
    const spine = fakeSpine();
    const seen: unknown[] = [];
    const face = httpTools({
      upstreams: new Map([["pay", upstream()]]),
      spine: {
        ...spine,
        async govern(request, send) {
          const governed = await spine.govern(request, send);
          const { answer: _, ...rest } = governed.forwarded ?? {};
          seen.push(rest);
          return governed;
        },
      },
      identifier,
      transport: fakeTransport(() => answer),
      limits: { holdBytesMax: 100 },
    });
    const response = await face(frontRequest("POST", "/http/pay/payments", payment));
    return { response, forwarded: seen[0] };
  };

  test("2xx and 3xx are ok, 4xx and 5xx a tool error; a held answer is recorded by digest", async () => {
    expect((await forward({ status: 204, body: "" })).forwarded).toMatchObject({
      outcome: "ok",
      resultBytes: 0,
    });
    expect((await forward({ status: 302 })).forwarded).toMatchObject({ outcome: "ok" });
    expect((await forward({ status: 404 })).forwarded).toMatchObject({ outcome: "tool_error" });
    expect((await forward({ status: 500, body: "abc" })).forwarded).toEqual({
      outcome: "tool_error",
      detail: "status 500",
      statusCode: 500,
      health: { kind: "tool_failed", cause: "it answered 500" },
      resultBytes: 3,
      resultDigest: "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    });
  });

  test.each([
    ["not_sent", "refused", 502],
    ["unknown", "timeout", 504],
    ["unknown", "broken", 502],
  ] as const)(
    "%s by %s is %i and says whether it may have happened",
    async (kind, reason, status) => {
      const { response, forwarded } = await forward({ error: { kind, reason, detail: "x" } });
      expect(forwarded).toMatchObject({ outcome: kind });
      expect(response.status).toBe(status);
      expect(await bodyJson(response.body)).toMatchObject({
        type: `urn:holdfast:problem:upstream_${kind}`,
        next: expect.stringMatching(kind === "not_sent" ? /Nothing was sent/ : /may have happened/),
      });
    },
  );

  test("a transport that throws leaves the outcome unknown", async () => {
    const { face } = world(undefined, () => {
      throw new Error("broken promise");
    });
    const response = await face(frontRequest("POST", "/http/pay/payments", payment));
    expect(await bodyJson(response.body)).toMatchObject({ status: 502, outcome: "unknown" });
  });

  test("an answer that breaks off while held is unknown", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3);
      throw new TransportFailure({ kind: "unknown", reason: "broken", detail: "gone" });
    }
    const { response, forwarded } = await forward({ status: 201, body: broken() });
    expect(forwarded).toMatchObject({ outcome: "unknown" });
    expect(response.status).toBe(502);
  });

  test("a large answer streams, whole and in order", async () => {
    const { response, forwarded } = await forward({ body: "0123456789".repeat(50) });
    expect(forwarded).toMatchObject({ outcome: "ok", detail: "status 200, streamed" });
    expect(response.body).not.toBeInstanceOf(Uint8Array);
    expect(await bodyText(response.body)).toBe("0123456789".repeat(50));
  });

  test("an event stream is not held", async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode("data: 1\n\n");
      await new Promise(() => undefined);
    }
    const headers = { "content-type": "text/event-stream" };
    const { response } = await forward({ headers, body: silent() });
    const body = response.body as AsyncIterable<Uint8Array>;
    const first = await body[Symbol.asyncIterator]().next();
    expect(new TextDecoder().decode(first.value as Uint8Array)).toBe("data: 1\n\n");
  });
});

test("the answer to HEAD keeps the length that the upstream names", async () => {
  const { face, spine } = world(undefined, () => ({
    headers: { "content-length": "7" },
    body: "",
  }));
  const response = await face(frontRequest("HEAD", "/http/pay/payments/1"));
  expect(spine.asked[0]).toMatchObject({ tool: "pay:GET /payments/{id}", method: "HEAD" });
  expect(response.headers["content-length"]).toBe("7");
  expect(response.body).not.toBeInstanceOf(Uint8Array);
  expect(await bodyText(response.body)).toBe("");
});

describe("what obligations leave that cannot be sent is not sent", () => {
  test.each([
    ["a path parameter removed", { path: {}, query: {} }],
    ["a dot segment", { path: { id: ".." }, query: {} }],
    ["a slash", { path: { id: "1/refund" }, query: {} }],
    ["an object in the query", { path: { id: "1" }, query: { a: {} } }],
    ["a body that was not there", { path: { id: "1" }, query: {}, body: 1 }],
  ])("%s", async (_, args) => {
    const { face, transport } = world(() => ({ decision: "sanitize", args }));
    const answer = await face(frontRequest("GET", "/http/pay/payments/1"));
    expect(answer.status).toBe(403);
    expect(transport.sent).toEqual([]);
  });

  test("a body known by digest", async () => {
    const { face, transport } = world(({ args }) => ({
      args: { ...args, body: { digest: "***" } },
    }));
    const request = frontRequest("POST", "/http/pay/payments", "bytes", { "content-type": "a/b" });
    expect((await face(request)).status).toBe(403);
    expect(transport.sent).toEqual([]);
  });
});

describe("bodies other than JSON", () => {
  test("a form is judged by its fields and written again", async () => {
    const { face, spine, transport } = world();
    const type = { "content-type": "application/x-www-form-urlencoded" };
    await face(frontRequest("POST", "/http/pay/payments", "a=1&b=x+y&a=2", type));
    expect(spine.asked[0]?.args["body"]).toEqual({ a: ["1", "2"], b: "x y" });
    expect(Buffer.from(transport.sent[0]?.body ?? []).toString()).toBe("a=1&a=2&b=x%20y");
  });

  test("others are judged by digest and sent as they came, or refused", async () => {
    const { face, spine, transport } = world();
    const type = { "content-type": "text/plain; charset=utf-8" };
    await face(frontRequest("POST", "/http/pay/payments", "abc", type));
    expect(spine.asked[0]).toMatchObject({
      args: {
        body: {
          digest: "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          bytes: 3,
          media_type: "text/plain",
        },
      },
      context: { http: { body: "opaque" } },
    });
    expect(transport.sent[0]?.headers["content-type"]).toBe("text/plain; charset=utf-8");
    const strict = world(undefined, undefined, { opaqueBodies: "refuse" });
    expect(
      (await strict.face(frontRequest("POST", "/http/pay/payments", "abc", type))).status,
    ).toBe(415);
  });
});

test("without routes each path is a tool of its own, and is sent unchanged", async () => {
  const { face, spine, transport } = literal();
  await face(frontRequest("POST", "/http/pay/models/a:predict/x%20y/%7Bz%7D/", payment));
  await face(frontRequest("GET", "/http/pay"));
  expect(spine.asked.map(({ tool }) => tool)).toEqual([
    "pay:POST /models/a:predict/x%20y/%7Bz%7D/",
    "pay:GET /",
  ]);
  expect(transport.sent.map(({ url }) => url)).toEqual([
    "https://pay.test/v1/models/a:predict/x%20y/%7Bz%7D/",
    "https://pay.test/v1/",
  ]);
});

test("whatever the path, the upstream sees only what was judged, below its base", async () => {
  const { face, spine, transport } = literal();
  const piece = fc.constantFrom(
    "..",
    ".",
    "%2e",
    "%2f",
    "a",
    "b%20",
    "\\",
    "%5c",
    "%00",
    "/",
    ";",
    "?",
    "%25",
    "é",
    "@",
    ":",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const before = [spine.asked.length, transport.sent.length];
      const answer: FrontResponse = await face(
        frontRequest("DELETE", `/http/pay/${pieces.join("")}`),
      );
      const judged = spine.asked.slice(before[0]);
      const sent = transport.sent.slice(before[1]);
      expect(judged.length).toBe(sent.length);
      if (sent.length === 0) expect(answer.status).toBeGreaterThanOrEqual(400);
      for (const [at, { url }] of sent.entries()) {
        const parsed = new URL(url);
        expect(parsed.href).toBe(url);
        expect(parsed.pathname).toBe(`/v1${judged[at]?.resource?.id}`);
        expect(judged[at]?.tool).toBe(`pay:DELETE ${judged[at]?.resource?.id}`);
      }
    }),
    { numRuns: 1000 },
  );
  expect(transport.sent.length).toBeGreaterThan(100);
});
