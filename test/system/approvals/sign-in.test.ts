/** Sign-in at a real provider over a wire that somebody changes: whatever is not exactly right signs nobody in. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { undiciTransport } from "../../../src/adapters/http/index.ts";
import { oidcSignIn } from "../../../src/adapters/oidc/index.ts";
import type { Result } from "../../../src/kernel/index.ts";
import type { HttpTransport, SignedIn, SignInError } from "../../../src/ports.ts";
import { listen, type TestHttpServer } from "../../fixtures/mcp-gateway.ts";
import { PlainBrowser } from "../../fixtures/plain-browser.ts";
import { type SignInProvider, startProvider } from "../../fixtures/sign-in-provider.ts";

const made: { provider?: SignInProvider; back?: TestHttpServer } = {};
const provider = (): SignInProvider => made.provider as SignInProvider;
const http = undiciTransport({ addresses: "not_metadata" });
const clientSecret = "secret-of-the-page-0123456789";

beforeAll(async () => {
  const back = await listen((_request, response) => response.end("back"));
  made.back = back;
  made.provider = await startProvider({
    people: { alice: { email: "alice@example.com", email_verified: true, name: "Alice" } },
    resources: [],
    clients: () => [
      {
        ...{ client_id: "page", client_secret: clientSecret },
        ...{ redirect_uris: [`${back.url}/signed-in`], grant_types: ["authorization_code"] },
      },
    ],
  });
  made.provider.person = "alice";
});
afterAll(async () => {
  made.provider?.stop();
  made.back?.close();
  await http.close();
});

/** What the wire makes of an answer's JSON. */
type Change = (path: string, body: Record<string, unknown>) => Record<string, unknown>;

function changed(change: Change): HttpTransport {
  return {
    send: async (request) => {
      const sent = await http.send(request);
      if (!sent.ok) return sent;
      const pieces: Uint8Array[] = [];
      for await (const piece of sent.value.body) pieces.push(piece);
      const path = new URL(request.url).pathname;
      const body = change(path, JSON.parse(Buffer.concat(pieces).toString("utf8")));
      const { "content-length": _length, ...headers } = sent.value.headers;
      const bytes = Buffer.from(JSON.stringify(body));
      return { ok: true, value: { ...sent.value, headers, body: once(bytes) } };
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface Trial {
  readonly change?: Change;
  readonly issuer?: string;
  readonly secret?: string;
  readonly query?: (query: string) => string;
}

async function signIn(trial: Trial = {}): Promise<Result<SignedIn, SignInError>> {
  const { change = (_path, body) => body, issuer = provider().issuer } = trial;
  const secret = trial.secret ?? clientSecret;
  const client = {
    ...{ issuer, clientId: "page", clientSecret: () => secret, scopes: ["email"] },
    redirectUri: `${made.back?.url}/signed-in`,
  };
  const way = oidcSignIn(client, changed(change), { write: () => undefined });
  const started = await way.start();
  if (!started.ok) return started;
  const at = await new PlainBrowser().get(started.value.url);
  const query = new URL(at.url).search.slice(1);
  return await way.finish(trial.query?.(query) ?? query, started.value.pending);
}

const idToken =
  (change: (parts: readonly string[]) => readonly string[]): Change =>
  (path, body) =>
    path === "/token"
      ? { ...body, id_token: change(String(body["id_token"]).split(".")).join(".") }
      : body;
const withClaims = (more: object): Change =>
  idToken(([head = "", claims = "", signature = ""]) => {
    const read = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
    return [
      head,
      Buffer.from(JSON.stringify({ ...read, ...more })).toString("base64url"),
      signature,
    ];
  });

test("who signed in is told with the address that only the userinfo endpoint tells", async () => {
  expect(await signIn()).toEqual({
    ok: true,
    value: {
      ...{ issuer: provider().issuer, subject: "alice" },
      ...{ email: "alice@example.com", emailVerified: true },
    },
  });
});

const trials: readonly (readonly [string, Trial, SignInError["kind"]])[] = [
  [
    "a signature changed",
    { change: idToken(([h = "", c = ""]) => [h, c, "A".repeat(86)]) },
    "refused",
  ],
  ["no signature", { change: idToken(([, c = ""]) => ["eyJhbGciOiJub25lIn0", c, ""]) }, "refused"],
  ["another subject", { change: withClaims({ sub: "mallory" }) }, "refused"],
  ["another nonce", { change: withClaims({ nonce: "other" }) }, "refused"],
  [
    "no ID token",
    { change: (path, body) => (path === "/token" ? { ...body, id_token: undefined } : body) },
    "refused",
  ],
  [
    "userinfo of somebody else",
    { change: (path, body) => (path === "/me" ? { ...body, sub: "mallory" } : body) },
    "refused",
  ],
  [
    "keys of somebody else",
    { change: (path, body) => (path === "/jwks" ? { keys: [] } : body) },
    "refused",
  ],
  [
    "a provider that calls itself otherwise",
    {
      change: (path, body) =>
        path.includes("openid-configuration") ? { ...body, issuer: "https://other.test" } : body,
    },
    "unreachable",
  ],
  [
    "more than anybody reads",
    { change: (path, body) => (path === "/token" ? { ...body, more: "x".repeat(600_000) } : body) },
    "refused",
  ],
  ["a wrong secret", { secret: "wrong-secret-of-the-page-0123456" }, "refused"],
  ["another state", { query: (query) => query.replace(/state=[^&]*/, "state=other") }, "refused"],
  ["no code", { query: (query) => query.replace(/code=[^&]*/, "") }, "refused"],
  [
    "an answer of another issuer (RFC 9207)",
    { query: (query) => query.replace(/iss=[^&]*/, "iss=https%3A%2F%2Fother.test") },
    "refused",
  ],
];

for (const [name, trial, kind] of trials)
  test(`nobody is signed in by ${name}`, async () => {
    expect(await signIn(trial)).toMatchObject({ ok: false, error: { kind } });
  });

test("a provider is trusted under its own name alone, to the last slash", async () => {
  expect(await signIn({ issuer: `${provider().issuer}/` })).toMatchObject({
    ...{ ok: false, error: { kind: "unreachable" } },
  });
});

test("nobody is signed in when nobody is there", async () => {
  expect(await signIn({ issuer: "http://127.0.0.1:9" })).toMatchObject({
    ...{ ok: false, error: { kind: "unreachable" } },
  });
});
