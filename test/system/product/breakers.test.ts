/** Upstreams that fail in every way, behind real gateways: what is held back, what is sent again, and who knows of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/client";
import { afterEach, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import { FailingUpstream, type Mode } from "./failing-upstream.ts";
import { type Answer, ask, decisionIn, until, type World, world } from "./harness.ts";

const worlds: World[] = [];
const upstreams: FailingUpstream[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((one) => one.close()));
  for (const one of upstreams.splice(0)) await one.down();
});

async function failing(): Promise<FailingUpstream> {
  const one = await FailingUpstream.start();
  upstreams.push(one);
  return one;
}

const policy = (names: readonly string[]): string => `
policy: failing
tools:
${names
  .flatMap((name) => [
    `  "${name}-http:GET /items": { effect: read, risk: low }`,
    `  "${name}-http:POST /items": { effect: write, risk: high }`,
    `  "${name}-mcp:look": { effect: read, risk: low }`,
    `  "${name}-mcp:put": { effect: write, risk: high }`,
  ])
  .join("\n")}
rules:
  - id: all
    match: { tools: [${names.flatMap((name) => [`"${name}-http:*"`, `"${name}-mcp:*"`]).join(", ")}] }
    outcome: allow
`;

/** The upstream twice, over HTTP and as an MCP server, with the same `care`. */
const twice = (name: string, upstream: FailingUpstream, care: string, dryRun = false): string => `
  ${name}-http:
    http:
      base_url: ${upstream.url}
      routes: [{ method: GET, path: /items }, { method: POST, path: /items }]
    ${care}${dryRun ? '\n    dry_run: { "POST /items": { set: args.query.dry_run, to: "1" } }' : ""}
  ${name}-mcp:
    mcp: { url: "${upstream.url}/mcp" }
    ${care}${dryRun ? "\n    dry_run: { put: { set: args.dry_run, to: true } }" : ""}
`;

async function made(names: readonly string[], yaml: string, config = ""): Promise<World> {
  const one = await world({ upstreams: yaml, config });
  worlds.push(one);
  one.policy("failing.yaml", policy(names));
  return one;
}

/** One call, by either face, in the same words. */
interface Told {
  readonly refusal: unknown;
  readonly text: string;
  readonly isFine: boolean;
}

type Call = () => Promise<Told>;

const overHttp =
  (here: World, name: string, method: "GET" | "POST"): Call =>
  async () => {
    const { status, body } = await here.http(
      method,
      `/http/${name}-http/items`,
      method === "POST" ? { weight: 1 } : undefined,
    );
    return { refusal: body["refusal"], text: JSON.stringify(body), isFine: status === 200 };
  };

const overMcp =
  (client: Client, tool: "look" | "put"): Call =>
  async () => {
    const called = client.callTool({ name: tool, arguments: {} });
    // What is no JSON-RPC (a page of status 500) reaches the client as it is, and there it throws.
    const result: Awaited<typeof called> = await called.catch((thrown: unknown) => ({
      content: [{ type: "text", text: String(thrown) }],
      isError: true,
    }));
    const isFine = result.isError !== true;
    return { refusal: decisionIn(result)["refusal"], text: JSON.stringify(result), isFine };
  };

const breakersOf = async (here: World): Promise<readonly Record<string, unknown>[]> => {
  const { body } = await ask(`${here.gatewayUrl}/statusz`);
  return (body["breakers"] as { breakers: Record<string, unknown>[] }).breakers;
};

const waysToFail: readonly (Mode | "down")[] = [
  "fails",
  "busy",
  "hangs",
  "breaks",
  "breaks_off",
  "down",
];

test("however it fails and over either face: it is left alone, others are not, and one answer ends it", async () => {
  const upstream = await failing();
  const care =
    "call_timeout_ms: 2000\n    retries: { attempts_max: 1 }\n    breaker: { failures_in_row: 3, open_ms: 600, open_ms_max: 600 }";
  const here = await made(["flaky"], twice("flaky", upstream, care));
  await here.both();
  const client = await here.client("flaky-mcp");
  const faces = { http: overHttp(here, "flaky", "GET"), mcp: overMcp(client, "look") };
  for (const [face, call] of Object.entries(faces))
    for (const way of waysToFail) {
      const what = `${face}, ${way}`;
      expect(await call(), what).toMatchObject({ isFine: true });
      if (way === "down") await upstream.down();
      else upstream.mode = way;
      const failed = await Promise.all([call(), call(), call()]);
      expect(
        failed.map(({ isFine }) => isFine),
        what,
      ).toEqual([false, false, false]);
      const received = upstream.received.length;
      const refused = await call();
      expect(refused, what).toMatchObject({ refusal: "breaker_open" });
      expect(refused.text).toMatch(/is not called for \d+ s more: .*retry_after_ms\\?["=]/);
      expect(upstream.received.length, what).toBe(received);
      // Others go on, also the other tool of the same upstream.
      expect((await here.http("GET", "/http/desk/items")).status).toBe(200);
      const other = face === "http" ? "flaky-http:GET /items" : "flaky-mcp:look";
      expect(await breakersOf(here), what).toMatchObject([{ breaker: other, state: "open" }]);
      if (way === "down") await upstream.up();
      upstream.mode = "well";
      await until(`an answer after ${what}`, async () =>
        (await call()).isFine ? true : undefined,
      );
      expect(await breakersOf(here), what).toEqual([]);
    }
  const metrics = String((await ask(`${here.gatewayUrl}/metrics`)).body["text"]);
  for (const face of ["http", "mcp"]) {
    expect(metrics).toContain(`holdfast_breaker_state{upstream="flaky-${face}"} 0`);
    for (const to of ["open", "half_open", "closed"])
      expect(metrics).toMatch(
        new RegExp(`breaker_transitions_total\\{upstream="flaky-${face}",to="${to}"\\} \\d+`),
      );
  }
  const changes = here.entries().filter(({ kind }) => kind === "breaker");
  expect(changes.slice(0, 2)).toMatchObject([
    ...[
      { upstream: "flaky-http", tool: "GET /items", state: "open", cause: "it answered 500" },
      { upstream: "flaky-http", tool: "GET /items", state: "closed", by: "gateway gateway" },
    ],
  ]);
  expect(here.audit("verify").code).toBe(0);
});

test("it survives kill -9, another gateway on the store knows of it, and people have the last word", async () => {
  const upstream = await failing();
  const shared = mkdtempSync(join(tmpdir(), "holdfast-shared-"));
  const care =
    "retries: { attempts_max: 1 }\n    breaker: { failures_in_row: 3, open_ms: 600000, open_ms_max: 600000 }";
  const yaml = twice("flaky", upstream, care);
  const named = (instance: string): Promise<World> =>
    made(["flaky"], yaml, `store: { sqlite: ${shared}/store.db }\ninstance: ${instance}`);
  const [one, two] = [await named("one"), await named("two")];
  const [{ gateway }] = [await one.both(), await two.both()];
  const [here, there] = [overHttp(one, "flaky", "POST"), overHttp(two, "flaky", "POST")];
  upstream.mode = "breaks";
  for (let i = 0; i < 3; i++) expect((await here()).text).toContain('"outcome":"unknown"');
  // Without a call of its own: one that failed would teach it the same.
  await until("the other gateway", async () =>
    (await breakersOf(two)).length > 0 ? true : undefined,
  );
  expect(await there()).toMatchObject({ refusal: "breaker_open" });
  const received = upstream.received.length;
  await gateway.stop("SIGKILL");
  await one.gateway();
  upstream.mode = "well";
  expect(await here()).toMatchObject({ refusal: "breaker_open" });
  expect(upstream.received.length).toBe(received);
  const listed = one.command("breakers", "list", "--json");
  expect(JSON.parse(listed.stdout).breakers).toMatchObject([
    { breaker: "flaky-http:POST /items", state: "open", by: "gateway one", times: 1 },
  ]);
  expect(one.command("breakers").stdout).toMatch(/flaky-http:POST \/items +open .*gateway one/);
  const obey = (what: string, want: (told: Told) => boolean): Promise<unknown> =>
    until(what, async () => (want(await here()) && want(await there()) ? true : undefined));
  const reset = one.command("breakers", "reset", "flaky-http:POST /items", "--reason", "repaired");
  expect([reset.code, reset.stderr]).toEqual([0, ""]);
  await obey("the reset", ({ isFine }) => isFine);
  const opened = two.command("breakers", "open", "flaky-http", "--reason", "maintenance");
  expect([opened.code, opened.stderr]).toEqual([0, ""]);
  await obey("people's word", ({ refusal }) => refusal === "breaker_open");
  expect((await here()).text).toContain("until people close its breaker: maintenance");
  expect((await here()).text).not.toContain('"retry_after_ms":');
  expect(two.command("breakers", "reset", "--all").code).toBe(0);
  await obey("the other reset", ({ isFine }) => isFine);
  expect(one.command("breakers").stdout).toBe("no breaker is open\n");
  for (const [words, says] of [
    [["reset", "flaky-http"], "flaky-http is not open; open now: none"],
    [["reset"], "name one breaker, or --all"],
    [["open", "flakey-http"], 'no upstream "flakey-http" is configured'],
    [["open", "flaky-http", "--seconds", "soon"], "--seconds is a whole number"],
  ] as const) {
    const wrong = one.command("breakers", ...words);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining(says)]);
  }
  const told = two.entries().filter(({ kind }) => kind === "breaker");
  expect(told.map(({ state, cause }) => `${state}: ${cause}`)).toEqual([
    expect.stringMatching(/^open: broken: /),
    "closed: repaired",
    "open: maintenance",
    "closed: no reason given",
  ]);
  rmSync(shared, { recursive: true });
});

test("a write is sent once, or once more under a key that is honoured, or in the form that changes nothing", async () => {
  const upstream = await failing();
  const yaml = [
    twice("plain", upstream, "queue: {}"),
    twice("keyed", upstream, "idempotency: honoured"),
    twice("dry", upstream, "queue: {}", true),
  ].join("");
  const here = await made(["plain", "keyed", "dry"], yaml);
  const { gateway } = await here.both();
  const callsOf = async (name: string): Promise<readonly (readonly [string, Call, Call])[]> => {
    const legacy = await here.client(`${name}-mcp`);
    const modern = await here.client(`${name}-mcp`, auto);
    return [
      [`${name} http`, overHttp(here, name, "POST"), overHttp(here, name, "GET")],
      [`${name} mcp, legacy`, overMcp(legacy, "put"), overMcp(legacy, "look")],
      [`${name} mcp, modern`, overMcp(modern, "put"), overMcp(modern, "look")],
    ];
  };
  /** What the upstream received and did while `work` ran. */
  const during = async (plan: readonly Mode[], work: Call) => {
    upstream.plan = [...plan];
    const [received, done] = [upstream.received.length, upstream.done.length];
    const told = await work();
    return {
      told,
      received: upstream.received.slice(received),
      done: upstream.done.length - done,
    };
  };
  for (const [what, put, look] of await callsOf("plain")) {
    const lost = await during(["breaks"], put);
    expect([lost.received.length, lost.done], what).toEqual([1, 1]);
    expect(lost.told.text, what).toMatch(/outcome"?[:=]"?unknown/);
    const read = await during(["breaks", "breaks"], look);
    expect([read.received.length, read.told.isFine], what).toEqual([3, true]);
  }
  for (const [what, put] of await callsOf("keyed")) {
    const twiceSent = await during(["breaks"], put);
    expect([twiceSent.received.length, twiceSent.done], what).toEqual([2, 1]);
    expect(twiceSent.told.isFine, what).toBe(true);
    const keys = new Set(twiceSent.received.map(({ key }) => key));
    expect([keys.size, [...keys][0]], what).toEqual([1, expect.any(String)]);
  }
  for (const [what, put] of await callsOf("dry")) {
    const tried = await during(["breaks"], put);
    const forms = tried.received.map(({ args }) => args["dry_run"] === true);
    expect([forms, tried.done], what).toEqual([[false, true], 1]);
    expect(tried.told.text, what).toContain("It was not sent again. A dry run of it now succeeds.");
    expect(tried.told.text, what).toMatch(/outcome"?[:=]"?unknown/);
    const refused = await during(["breaks", "fails"], put);
    expect(refused.told.text, what).toContain("A dry run of it");
    expect(refused.told.text, what).not.toContain("now succeeds");
  }
  await gateway.stop();
  const outcomes = here.entries().filter(({ attempts }) => attempts !== undefined);
  expect(outcomes.find(({ outcome }) => outcome === "ok")).toMatchObject({
    attempts: [
      { form: "as_judged", outcome: "unknown" },
      { outcome: "unknown" },
      { outcome: "ok" },
    ],
  });
  expect(outcomes.find(({ outcome }) => outcome === "unknown")).toMatchObject({
    attempts: [
      { form: "as_judged", outcome: "unknown" },
      { form: "dry_run", outcome: "ok" },
    ],
  });
  // One decision stands for all of its attempts.
  expect(here.audit("verify").code).toBe(0);
});

test("an upstream that hangs fills its own room: the next is refused or waits, and other upstreams do not notice", async () => {
  const upstream = await failing();
  const yaml = twice(
    "narrow",
    upstream,
    "calls_in_flight_max: 2\n    queue: { calls_max: 1, wait_ms: 60000 }",
  );
  const here = await made(["narrow"], yaml);
  await here.both();
  upstream.plan = ["hangs", "hangs"];
  const call = (): Promise<Answer> => here.http("POST", "/http/narrow-http/items", {});
  const hanging = [call(), call()].map((each) => each.catch(() => undefined));
  const inUpstream = async (want: object): Promise<void> => {
    await until(JSON.stringify(want), async () => {
      const { body } = await ask(`${here.gatewayUrl}/statusz`);
      const rooms = body["upstreams"] as Record<string, object>;
      return JSON.stringify(rooms["narrow-http"]) === JSON.stringify(want) ? true : undefined;
    });
  };
  await until("both to hang", async () => (upstream.received.length === 2 ? true : undefined));
  const waiting = call();
  await inUpstream({ calls: 2, waiting: 1 });
  const refused = await call();
  expect([refused.status, refused.headers.get("retry-after"), refused.body["refusal"]]).toEqual([
    ...[503, "1", "upstream_busy"],
  ]);
  expect((await here.http("GET", "/http/desk/items")).status).toBe(200);
  expect((await overMcp(await here.client("narrow-mcp"), "put")()).isFine).toBe(true);
  expect(upstream.received.length).toBe(3);
  // Room comes when the calls before it end; the third is then made.
  await upstream.down();
  await upstream.up();
  expect((await waiting).status).toBe(200);
  await Promise.all(hanging);
  await inUpstream({ calls: 0, waiting: 0 });
});
