import { expect, test } from "vitest";
import { UpstreamCredentials } from "../../../src/gateway/upstream-auth/authorizer.ts";
import { readBearerChallenge } from "../../../src/gateway/upstream-auth/bearer-challenge.ts";
import type {
  AuthorizationCode,
  UpstreamAuthConfig,
} from "../../../src/gateway/upstream-auth/config.ts";
import { err, ok, sha256 } from "../../../src/kernel/index.ts";
import type { Disk, HttpTransport } from "../../../src/ports.ts";

const upstream = "https://tools.example/mcp";
const issuer = "https://as.example";
const redirectUri = "https://gw.example/oauth/callback";

interface Asked {
  readonly url: string;
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

/** An upstream and its authorization server, as documents and a token endpoint that the test can bend. */
function world() {
  const state = {
    nowMs: 1_800_000_000_000,
    asked: [] as Asked[],
    tokens: 0,
    refreshRefused: false,
    documents: {
      "https://tools.example/.well-known/oauth-protected-resource/mcp": {
        resource: upstream,
        authorization_servers: [issuer],
      },
      [`${issuer}/.well-known/oauth-authorization-server`]: metadata(issuer),
    } as Record<string, object>,
  };
  const tokenAnswer = (form: URLSearchParams): [number, object] => {
    if (form.get("grant_type") === "refresh_token" && state.refreshRefused)
      return [400, { error: "invalid_grant" }];
    state.tokens++;
    return [
      200,
      {
        access_token: `t${state.tokens}`,
        token_type: "Bearer",
        expires_in: 300,
        refresh_token: `r${state.tokens}`,
      },
    ];
  };
  const http: HttpTransport = {
    async send({ url, method, headers, body }) {
      const form = new URLSearchParams(new TextDecoder().decode(body));
      state.asked.push({ url, form, authorization: headers["authorization"] });
      const document = state.documents[url];
      let answer: [number, object] = document === undefined ? [404, {}] : [200, document];
      if (method === "POST")
        answer = url.endsWith("/register")
          ? [201, { client_id: `dcr-at-${new URL(url).host}` }]
          : tokenAnswer(form);
      const bytes = new TextEncoder().encode(JSON.stringify(answer[1]));
      return ok({
        status: answer[0],
        headers: {},
        body: (async function* () {
          yield bytes;
        })(),
      });
    },
  };
  const files = new Map<string, Uint8Array>();
  const disk = {
    read: async (path: string) => {
      const held = files.get(path);
      return held ? ok(held) : err({ kind: "not_found", code: "ENOENT", path } as const);
    },
    replace: async (path: string, bytes: Uint8Array) => {
      files.set(path, bytes);
      return ok(undefined);
    },
  } as Partial<Disk> as Disk;
  const said: string[] = [];
  let drawn = 0;
  const ports = {
    http,
    disk,
    clock: {
      wallMs: () => state.nowMs,
      monotonicMs: () => state.nowMs,
      sleep: async () => undefined,
    },
    entropy: { bytes: (count: number) => new Uint8Array(count).fill(++drawn) },
    log: { write: (...words: unknown[]) => void said.push(JSON.stringify(words)) },
  };
  const start = (config: UpstreamAuthConfig) => new UpstreamCredentials({ tools: config }, ports);
  return { state, start, files, said };
}

function metadata(of: string): object {
  return {
    issuer: of,
    authorization_endpoint: `${of}/authorize?x=1`,
    token_endpoint: `${of}/token`,
    registration_endpoint: `${of}/register`,
    token_endpoint_auth_methods_supported: ["client_secret_basic", "none"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  };
}

const person: AuthorizationCode = {
  kind: "authorization_code",
  url: upstream,
  redirectUri,
  authorize: "manual",
};
const redirect = (credentials: UpstreamCredentials, more: Record<string, string> = {}) => {
  const url = new URL(credentials.pending()[0]?.authorizationUrl ?? "");
  return new URLSearchParams({
    code: "c",
    state: url.searchParams.get("state") ?? "",
    iss: issuer,
    ...more,
  });
};

test("static headers are sent as they are, and a refusal is final", async () => {
  const credentials = world().start({ kind: "headers", headers: { "x-api-key": "k" } });
  expect(await credentials.headersFor("tools")).toEqual(ok({ "x-api-key": "k" }));
  expect(await credentials.headersFor("other")).toEqual(ok({}));
  expect(await credentials.onChallenge("tools", 401, "Bearer", {})).toBe("give_up");
});

test("a person agrees: the URL is reported, the redirect completes it, the token is sent and kept", async () => {
  const { state, start, files } = world();
  const credentials = start(person);
  expect(await credentials.headersFor("tools")).toEqual(ok({}));
  expect(await credentials.onChallenge("tools", 401, undefined, {})).toBe("pending");
  const [{ authorizationUrl = "" } = {}] = credentials.pending();
  const asked = new URL(authorizationUrl).searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({
    x: "1",
    response_type: "code",
    client_id: "dcr-at-as.example",
    resource: upstream,
    code_challenge_method: "S256",
    redirect_uri: redirectUri,
  });
  expect(await credentials.headersFor("tools")).toMatchObject({
    ok: false,
    error: { code: "authorization_required", authorizationUrl },
  });
  expect(await credentials.complete(redirect(credentials))).toEqual(ok("tools"));
  const { form } = state.asked.at(-1) ?? { form: new URLSearchParams() };
  const challenge = Buffer.from(sha256(form.get("code_verifier") ?? "")).toString("base64url");
  expect(challenge).toBe(asked.get("code_challenge"));
  expect(form.get("resource")).toBe(upstream);
  expect(await credentials.headersFor("tools")).toEqual(ok({ authorization: "Bearer t1" }));
  expect([...files.keys()]).toEqual(["upstream-auth/tools.json"]);
  expect(await start(person).headersFor("tools")).toEqual(ok({ authorization: "Bearer t1" }));
});

const redirects: readonly [string, Record<string, string>, RegExp][] = [
  ["of another state", { state: "other" }, /No authorization with this state/],
  ["of another issuer", { iss: "https://evil.example" }, /comes from "https:\/\/evil.example"/],
  ["with an error", { error: "access_denied" }, /access_denied/],
  ["without a code", { code: "" }, /no code/],
];
for (const [name, more, why] of redirects) {
  test(`a redirect ${name} completes nothing`, async () => {
    const { state, start } = world();
    const credentials = start(person);
    await credentials.onChallenge("tools", 401, undefined, {});
    expect(await credentials.complete(redirect(credentials, more))).toMatchObject({
      ok: false,
      error: { detail: expect.stringMatching(why) },
    });
    expect(state.tokens).toBe(0);
  });
}

test("a redirect without iss is refused where the server promised one, and a code is redeemed once", async () => {
  const { state, start } = world();
  const credentials = start(person);
  await credentials.onChallenge("tools", 401, undefined, {});
  const good = redirect(credentials);
  const bare = new URLSearchParams(good);
  bare.delete("iss");
  expect((await credentials.complete(bare)).ok).toBe(false);
  expect((await credentials.complete(good)).ok).toBe(true);
  expect((await credentials.complete(good)).ok).toBe(false);
  expect(state.tokens).toBe(1);
});

test("a token is renewed before it expires, and asked for anew when the refresh token is refused", async () => {
  const { state, start } = world();
  const credentials = start(person);
  await credentials.onChallenge("tools", 401, undefined, {});
  await credentials.complete(redirect(credentials));
  state.nowMs += 271_000;
  expect(await credentials.headersFor("tools")).toEqual(ok({ authorization: "Bearer t2" }));
  expect(state.asked.at(-1)?.form.get("refresh_token")).toBe("r1");
  state.refreshRefused = true;
  state.nowMs += 301_000;
  expect(await credentials.headersFor("tools")).toEqual(ok({}));
  expect(await credentials.onChallenge("tools", 401, undefined, {})).toBe("pending");
});

test("a call that was refused with an older token tries again with the newer one, without asking the server", async () => {
  const { state, start } = world();
  const credentials = start({
    kind: "client_credentials",
    url: upstream,
    clientId: "gw",
    clientSecret: "s:é",
  });
  expect(await credentials.onChallenge("tools", 401, undefined, {})).toBe("retry");
  const basic = Buffer.from("gw:s%3A%C3%A9").toString("base64");
  expect(state.asked.at(-1)).toMatchObject({ authorization: `Basic ${basic}` });
  expect(state.asked.at(-1)?.form.get("client_secret")).toBeNull();
  const asked = state.asked.length;
  expect(
    await credentials.onChallenge("tools", 401, undefined, { authorization: "Bearer t0" }),
  ).toBe("retry");
  expect(state.asked.length).toBe(asked);
});

test("an upstream that is never satisfied is given up on", async () => {
  const { start } = world();
  const credentials = start({
    kind: "client_credentials",
    url: upstream,
    clientId: "gw",
    clientSecret: "s",
  });
  const answers: string[] = [];
  for (let i = 0; i < 5; i++) {
    const sent = await credentials.headersFor("tools");
    answers.push(await credentials.onChallenge("tools", 401, undefined, sent.ok ? sent.value : {}));
  }
  expect(answers).toEqual(["retry", "retry", "retry", "give_up", "give_up"]);
  expect(credentials.problem("tools")).toMatch(/refuses each new token/);
});

test("a configured client is shown to no other issuer than its first", async () => {
  const { state, start, said } = world();
  const config: UpstreamAuthConfig = {
    kind: "client_credentials",
    url: upstream,
    clientId: "gw",
    clientSecret: "top-secret",
  };
  await start(config).onChallenge("tools", 401, undefined, {});
  const evil = "https://evil.example";
  state.documents["https://tools.example/.well-known/oauth-protected-resource/mcp"] = {
    resource: upstream,
    authorization_servers: [evil],
  };
  state.documents[`${evil}/.well-known/oauth-authorization-server`] = metadata(evil);
  const restarted = start(config);
  expect(await restarted.onChallenge("tools", 401, undefined, { authorization: "Bearer t1" })).toBe(
    "give_up",
  );
  expect(restarted.problem("tools")).toMatch(/belongs to https:\/\/as.example/);
  expect(
    state.asked.some(
      ({ url, authorization }) => url.startsWith(evil) && authorization !== undefined,
    ),
  ).toBe(false);
  expect(said.join()).not.toMatch(/top-secret|"t1"/);
});

test("a 403 asks for more only when the scope is what is missing, and keeps what was granted", async () => {
  const { state, start } = world();
  const credentials = start({
    kind: "client_credentials",
    url: upstream,
    clientId: "gw",
    clientSecret: "s",
  });
  const sent = async () => {
    const headers = await credentials.headersFor("tools");
    return headers.ok ? headers.value : {};
  };
  await credentials.onChallenge("tools", 401, 'Bearer scope="read"', {});
  expect(await credentials.onChallenge("tools", 403, undefined, await sent())).toBe("give_up");
  const more = 'Bearer error="insufficient_scope", scope="write"';
  expect(await credentials.onChallenge("tools", 403, more, await sent())).toBe("retry");
  expect(state.asked.at(-1)?.form.get("scope")?.split(" ").sort()).toEqual(["read", "write"]);
});

const broken: readonly [string, string, object | undefined, RegExp][] = [
  [
    "metadata about another resource",
    "https://tools.example/.well-known/oauth-protected-resource/mcp",
    { resource: "https://tools.example/mcp2", authorization_servers: [issuer] },
    /not https:\/\/tools.example\/mcp/,
  ],
  [
    "an issuer without TLS",
    "https://tools.example/.well-known/oauth-protected-resource/mcp",
    { resource: upstream, authorization_servers: ["http://as.example"] },
    /not https/,
  ],
  [
    "metadata of another issuer",
    `${issuer}/.well-known/oauth-authorization-server`,
    metadata("https://evil.example"),
    /says issuer/,
  ],
  [
    "a server without PKCE S256",
    `${issuer}/.well-known/oauth-authorization-server`,
    { ...metadata(issuer), code_challenge_methods_supported: ["plain"] },
    /PKCE/,
  ],
  [
    "no server metadata",
    `${issuer}/.well-known/oauth-authorization-server`,
    undefined,
    /publishes no metadata/,
  ],
];
for (const [name, place, document, why] of broken) {
  test(`${name}: given up, with the reason`, async () => {
    const { state, start } = world();
    if (document === undefined) delete state.documents[place];
    else state.documents[place] = document;
    const credentials = start(person);
    expect(await credentials.onChallenge("tools", 401, undefined, {})).toBe("give_up");
    expect(credentials.problem("tools")).toMatch(why);
    expect(state.tokens).toBe(0);
  });
}

test("challenges are read as RFC 6750 writes them", () => {
  expect(
    readBearerChallenge(
      'Basic realm="x", Bearer error="insufficient_scope", scope="a b",resource_metadata="https://t/\\"q"',
    ),
  ).toEqual({
    error: "insufficient_scope",
    scopes: ["a", "b"],
    resourceMetadata: 'https://t/"q',
  });
  expect(readBearerChallenge("Negotiate")).toEqual({});
  expect(readBearerChallenge(undefined)).toEqual({});
});
