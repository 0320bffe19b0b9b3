/** One HTTP upstream `pay` with three routes, a spine and a transport of the test. */
import type { FrontFace } from "../../../../src/gateway/http-front.ts";
import {
  type HttpRoute,
  type HttpUpstream,
  httpTools,
  routeTable,
} from "../../../../src/gateway/http-tools/index.ts";
import {
  type FakeAnswer,
  type FakeSpine,
  type FakeTransport,
  fakeSpine,
  fakeTransport,
  identifier,
} from "../fake-spine.ts";

interface World {
  readonly spine: FakeSpine;
  readonly transport: FakeTransport;
  readonly face: FrontFace;
}

const routes: readonly HttpRoute[] = [
  { method: "POST", template: "/payments" },
  {
    method: "GET",
    template: "/payments/{id}",
    queryTypes: { limit: "integer", tag: ["string"], deep: "boolean" },
  },
  { method: "DELETE", template: "/payments/{id}" },
];

export function upstream(of: Partial<HttpUpstream> = {}): HttpUpstream {
  const built = routeTable(routes);
  if (!built.ok) throw new Error(built.error.join());
  return {
    name: "pay",
    baseUrl: "https://pay.test/v1",
    routes: built.value,
    headers: { authorization: "Bearer upstream-secret" },
    forwardHeaders: [],
    opaqueBodies: "digest",
    ...of,
  };
}

export function world(
  say: Parameters<typeof fakeSpine>[0] = () => ({}),
  answer: (request: { readonly url: string }) => FakeAnswer = () => ({}),
  of: Partial<HttpUpstream> = {},
): World {
  const spine = fakeSpine(say);
  const transport = fakeTransport(answer);
  const face = httpTools({
    upstreams: new Map([["pay", upstream(of)]]),
    spine,
    identifier,
    transport,
    limits: { holdBytesMax: 100, receiptHeaderBytesMax: 40 },
    receiptUrl: (call) => `/receipts/${call}`,
  });
  return { spine, transport, face };
}

/** A world with one path for every tool, named literally. */
export const literal = (of: Partial<HttpUpstream> = {}): World => {
  const { routes: _, ...rest } = upstream(of);
  const spine = fakeSpine();
  const transport = fakeTransport(() => ({}));
  const face = httpTools({ upstreams: new Map([["pay", rest]]), spine, identifier, transport });
  return { spine, transport, face };
};

export const payment: { readonly amount: number; readonly currency: string; readonly to: string } =
  { amount: 5, currency: "EUR", to: "x" };
