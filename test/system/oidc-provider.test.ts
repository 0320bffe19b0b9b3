/** A real authorization server: the gateway gets a token from it as a client, and accepts its tokens as a resource. */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-expect-error the package has no types
import { Provider } from "oidc-provider";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TokenIdentifier } from "../../src/gateway/identify.ts";
import { UpstreamCredentials } from "../../src/gateway/upstream-auth/authorizer.ts";
import { realWorld } from "../fixtures/upstream-auth-world.ts";

const key = (kid: string): object => ({
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
  kid,
  use: "sig",
  alg: "ES256",
});

/** What runs behind the issuer's port; replaced when its keys rotate. */
const behind: { listener: RequestListener } = { listener: (_request, response) => response.end() };
const servers: Server[] = [];
const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

let issuer = "";
let resource = "";

function provide(...keys: object[]): void {
  const provider = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ["test"] },
    clients: [
      {
        client_id: "batch-agent",
        client_secret: "secret-of-the-batch-agent",
        id_token_signed_response_alg: "ES256",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "tools:read tools:write",
          audience: resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  behind.listener = provider.callback();
}

beforeAll(async () => {
  issuer = await listen((request, response) => behind.listener(request, response));
  const origin = await listen((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        resource,
        authorization_servers: [issuer],
        scopes_supported: ["tools:read"],
      }),
    );
  });
  resource = `${origin}/mcp`;
});
afterAll(() => {
  for (const server of servers) server.close();
});

const log = { write: () => undefined };
const world = realWorld(log);

/** What a client of the issuer, new each time, sends as its Authorization header. */
async function newToken(): Promise<string> {
  const credentials = new UpstreamCredentials(
    {
      tools: {
        kind: "client_credentials",
        url: resource,
        clientId: "batch-agent",
        clientSecret: "secret-of-the-batch-agent",
      },
    },
    realWorld(log),
  );
  expect(await credentials.onChallenge("tools", 401, undefined, {})).toBe("retry");
  const headers = await credentials.headersFor("tools");
  return headers.ok ? (headers.value["authorization"] ?? "") : "";
}

test("a token of a real issuer is accepted, keys rotate under it, and a withdrawn key counts no more", async () => {
  const [first, second] = [key("first"), key("second")];
  provide(first);
  let passedMs = 0;
  const clock = { ...world.clock, monotonicMs: () => performance.now() + passedMs };
  const trust = { issuer, audiences: [resource], keys: { jwksUrl: `${issuer}/jwks` } };
  const identifier = new TokenIdentifier(
    { issuers: [trust], developmentTokens: [], resource },
    { ...world, clock },
  );

  const old = await newToken();
  expect(old).toMatch(/^Bearer eyJ/);
  expect(await identifier.identify({ authorization: old })).toMatchObject({
    ok: true,
    identity: { agent: "batch-agent", how: "jwt", properties: { scope: ["tools:read"] } },
  });

  provide(second, first);
  passedMs += 11_000;
  const rotated = await newToken();
  expect(await identifier.identify({ authorization: rotated })).toMatchObject({ ok: true });
  expect(await identifier.identify({ authorization: old })).toMatchObject({ ok: true });

  provide(second);
  passedMs += 10 * 60_000;
  const fresh = new TokenIdentifier(
    { issuers: [trust], developmentTokens: [] },
    { ...world, clock },
  );
  expect(await fresh.identify({ authorization: old })).toMatchObject({ ok: false });
  expect(await fresh.identify({ authorization: rotated })).toMatchObject({ ok: true });
});

test("a token for another resource is refused by name", async () => {
  provide(key("only"));
  const trust = {
    issuer,
    audiences: ["https://other.example"],
    keys: { jwksUrl: `${issuer}/jwks` },
  };
  const identifier = new TokenIdentifier({ issuers: [trust], developmentTokens: [] }, world);
  expect(await identifier.identify({ authorization: await newToken() })).toMatchObject({
    ok: false,
    reason: expect.stringContaining("not https://other.example"),
  });
});
