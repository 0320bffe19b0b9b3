/** What was judged is what arrives: a recording upstream, the log and the client's own account, call by call. */
import { expect, test } from "vitest";
import type { HttpRequest, HttpTransport } from "../../../src/ports.ts";
import { judgedIsSent } from "../../fixtures/judged/run.ts";

test("20,000 generated calls arrive as they were judged, or not at all", async () => {
  const seed = Date.now() & 0x7fffffff;
  const { problems, told, arrived, calls } = await judgedIsSent({ calls: 20_000, seed });
  expect(problems, `seed ${seed}`).toEqual([]);
  expect(calls).toBe(20_000);
  // Each kind of answer came, and often; what arrived is what was let through.
  for (const what of ["allow", "sanitize", "deny", "refused"])
    expect(told[what], what).toBeGreaterThan(1_000);
  expect(arrived).toBe((told["allow"] ?? 0) + (told["sanitize"] ?? 0));
});

/** A forwarder that changes what it is given, now and then. */
function faulty(
  change: (request: HttpRequest) => HttpRequest,
): (of: HttpTransport) => HttpTransport {
  let sent = 0;
  return (transport) => ({
    send: (request) => transport.send(sent++ % 3 === 2 ? change(request) : request),
  });
}

const body = (request: HttpRequest, change: (text: string) => string): HttpRequest =>
  request.body === undefined
    ? request
    : { ...request, body: Buffer.from(change(Buffer.from(request.body).toString())) };

const faults: Readonly<Record<string, (request: HttpRequest) => HttpRequest>> = {
  "one character of an argument is another": (request) =>
    body(request, (text) => text.replace(/"region":"[0-9A-Za-z]/, '"region":"~')),
  "an argument is dropped": (request) =>
    body(request, (text) => text.replace(/,"region":"(?:[^"\\]|\\.)*"/, "")),
  "what was redacted goes out all the same": (request) =>
    body(request, (text) => text.replace("[card]", "4111111111111111")),
  "a parameter of a query is added": (request) => ({
    ...request,
    url: request.url.includes("?") ? `${request.url}&admin=true` : request.url,
  }),
  "a header says another tool": (request) => ({
    ...request,
    headers: {
      ...request.headers,
      ...(request.headers["mcp-name"] === undefined ? {} : { "mcp-name": "wipe" }),
    },
  }),
  "the idempotency key is of another call": (request) => ({
    ...request,
    headers: { ...request.headers, "idempotency-key": "call_of_another" },
  }),
};

test.each(Object.keys(faults))("planted: %s, and it is seen", async (fault) => {
  const forwarder = faulty(faults[fault] ?? ((request) => request));
  const { problems } = await judgedIsSent({ calls: 1_000, seed: 1, forwarder });
  expect(problems.length).toBeGreaterThan(0);
});

test("planted: a call is sent twice, and it is seen", async () => {
  const forwarder = (transport: HttpTransport): HttpTransport => ({
    send: async (request) => {
      const sent = await transport.send(request);
      if (sent.ok && request.method === "PUT") await transport.send(request);
      return sent;
    },
  });
  const { problems } = await judgedIsSent({ calls: 500, seed: 1, forwarder });
  expect(problems.length).toBeGreaterThan(0);
});
