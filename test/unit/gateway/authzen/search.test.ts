/** AuthZEN search (section 8), with the real spine and a real policy. */
import { describe, expect, test } from "vitest";
import { digestOf, type JsonObject } from "../../../../src/kernel/index.ts";
import { someone } from "../fake-spine.ts";
import { engineOf, known, realSpine } from "./real-spine.ts";
import { authZenWorld, pep } from "./world.ts";

const policy = `
tools:
  record:read: { effect: read, risk: low }
  record:write: { effect: write, risk: high }
  record:share: { effect: write, risk: high }
  desk:GET /items: { effect: read, risk: low }
  desk:POST /items: { effect: write, risk: high }
policy: test
rules:
  - id: read
    match: { tools: record:read, agents: user:* }
    when: resource.properties.team == subject.properties.team
    outcome: allow
  - id: write
    match: { tools: record:write, agents: user:* }
    when: resource.properties.owner == subject.properties.name
    outcome: allow
  - id: share
    match: { tools: record:share, agents: user:* }
    outcome: approval_needed
    reason: People decide what is shared
  - id: desk
    match: { tools: ["desk:*"], agents: buyer }
    when: context.hour < 12
    outcome: allow
`;

const person = (name: string, team: string) => known("user", name, { name, team });
const record = (id: string, team: string, owner: string) => known("record", id, { team, owner });
const directory = {
  subjects: [
    person("cleo", "blue"),
    person("ann", "red"),
    person("ben", "red"),
    { ...person("zoe", "red"), tenant: "other" },
  ],
  resources: [record("r2", "red", "ben"), record("r1", "red", "ann"), record("r3", "blue", "cleo")],
};
type Spoken = Readonly<Record<string, string>>;

function world(parts: Parameters<typeof authZenWorld>[1] = {}) {
  const real = realSpine(policy, directory);
  const face = authZenWorld(real.spine, { directory: real.directory, ...parts });
  const search = async (kind: string, body: JsonObject, headers: Spoken = {}) => {
    const answer = await face.post(`search/${kind}`, body, headers);
    const found = (answer.json["results"] ?? []) as readonly JsonObject[];
    const page = (answer.json["page"] ?? {}) as { next_token?: string; count?: number };
    return { ...answer, page, names: found.map(({ id, name }) => id ?? name) };
  };
  return { ...real, ...face, search };
}

const user = { type: "user" };
const ann = { type: "user", id: "ann" };
const read = { name: "read" };
const r1 = { type: "record", id: "r1" };
const asBuyer = { authorization: "Bearer buyer" };

describe("results are those for whom an evaluation says true", () => {
  test("subjects, resources and actions, in one order", async () => {
    const { search } = world();
    const who = await search("subject", { subject: user, action: read, resource: r1 });
    expect(who.json["results"]).toEqual([
      { type: "user", id: "ann" },
      { type: "user", id: "ben" },
    ]);
    const what = await search("resource", {
      subject: ann,
      action: read,
      resource: { type: "record" },
    });
    expect(what.json["results"]).toEqual([
      { type: "record", id: "r1" },
      { type: "record", id: "r2" },
    ]);
    const how = await search("action", { subject: ann, resource: r1 });
    expect(how.json["results"]).toEqual([{ name: "read" }, { name: "write" }]);
    expect(how.page).toEqual({ next_token: "", count: 2 });
  });

  test("the id of what is searched for is ignored, and so are its properties", async () => {
    const { search } = world();
    const made = { team: "red", name: "ann", owner: "ann" };
    const subject = { type: "user", id: 7, properties: made };
    const who = await search("subject", { subject, action: read, resource: r1 });
    expect(who.names).toEqual(["ann", "ben"]);
    const resource = { type: "record", id: "r9", properties: made };
    const what = await search("resource", { subject: ann, action: read, resource });
    expect(what.names).toEqual(["r1", "r2"]);
  });

  test("properties of the question count, over those of the directory", async () => {
    const { search } = world();
    const moved = { ...ann, properties: { team: "blue" } };
    const what = { subject: moved, action: read, resource: { type: "record" } };
    expect((await search("resource", what)).names).toEqual(["r3"]);
    const lent = { ...r1, properties: { team: "blue" } };
    const who = { subject: user, action: read, resource: lent };
    expect((await search("subject", who)).names).toEqual(["cleo"]);
  });
});

describe("tools and actions", () => {
  test("tools of the catalog are resources, and the actions under their own type", async () => {
    const { search } = world();
    const buyer = { type: "agent", id: "buyer" };
    const context = { hour: 9 };
    const tools = { subject: buyer, action: { name: "tools/call" }, resource: { type: "tool" } };
    const may = ["desk:GET /items", "desk:POST /items"];
    expect((await search("resource", { ...tools, context })).names).toEqual(may);
    expect((await search("resource", { ...tools, context: { hour: 13 } })).names).toEqual([]);
    const on = (type: string, id: string) =>
      search("action", { subject: buyer, resource: { type, id }, context });
    expect((await on("tool", "desk:GET /items")).names).toEqual(["tools/call"]);
    expect((await on("tool", "shop:GET /items")).names).toEqual([]);
    expect((await on("desk", "any")).names).toEqual(["GET /items", "POST /items"]);
  });

  test("an action whose name is itself a tool id is given out under the name that finds it", async () => {
    const odd = `
tools:
  a:b:c: { effect: read, risk: low }
  b:c: { effect: write, risk: high }
policy: odd
rules:
  - { id: odd, match: { tools: "a:b:c" }, outcome: allow }
`;
    const { spine, directory: empty } = realSpine(odd);
    const { post } = authZenWorld(spine, { directory: empty });
    const question = { subject: ann, resource: { type: "a", id: "1" } };
    const { json } = await post("search/action", question);
    expect(json["results"]).toEqual([{ name: "a:b:c" }]);
    const again = { ...question, action: { name: "a:b:c" } };
    expect((await post("evaluation", again)).json["decision"]).toBe(true);
  });
});

describe("obligations in a search (Obligations profile, draft 1)", () => {
  const masking = `
tools:
  card:pay: { effect: write, risk: high }
  card:show: { effect: read, risk: low }
policy: cards
rules:
  - id: pay
    match: { tools: card:pay }
    outcome: sanitize
    obligations: [{ redact: args.number, with: mask, keep: 4 }]
  - { id: show, match: { tools: card:show }, outcome: allow }
`;
  const cards = { resources: [known("card", "c1")] };
  const pay = { name: "pay", properties: { number: "4111111111111111" } };
  const question = { subject: ann, action: pay, resource: { type: "card" } };
  const supporting = { ...question, context: { obligations_supported: ["replace_arguments"] } };
  const ask = async (body: JsonObject, point = pep) => {
    const real = realSpine(masking, cards);
    const { post } = authZenWorld(real.spine, { ...real, enforcementPoints: [point] });
    const search = await post("search/resource", body);
    const one = { ...body, resource: { type: "card", id: "c1" } };
    const evaluation = await post("evaluation", one);
    const { json } = await post("evaluations", { ...body, evaluations: [one] });
    const [batch] = json["evaluations"] as [JsonObject];
    return {
      results: search.json["results"] as readonly JsonObject[],
      decisions: [evaluation.json["decision"], batch["decision"]],
      batch,
    };
  };

  test("a result that is sanitized is given out with what must be done, to those who promised it", async () => {
    const { results, decisions, batch } = await ask(supporting);
    const redacted = { number: "************1111" };
    const obligation = {
      type: "replace_arguments",
      properties: { arguments: redacted, digest: digestOf(redacted) },
    };
    expect(results).toMatchObject([
      { type: "card", id: "c1", context: { obligations: [obligation] } },
    ]);
    expect(decisions).toEqual([true, true]);
    expect(batch).toMatchObject({ context: { obligations: [obligation] } });
  });

  test("to nobody else", async () => {
    for (const { results, decisions } of [
      await ask(question),
      await ask(supporting, { ...pep, obligations: [] }),
    ]) {
      expect(results).toEqual([]);
      expect(decisions).toEqual([false, false]);
    }
  });
});

describe("who may search", () => {
  test("an enforcement point of this tenant; an agent only about itself", async () => {
    const { search, entries } = world();
    const buyer = { type: "agent", id: "buyer" };
    const context = { hour: 9 };
    const mine = { subject: buyer, action: read, resource: { type: "tool" }, context };
    expect((await search("resource", mine, asBuyer)).names).toHaveLength(2);
    expect(entries.at(-1)).toMatchObject({ agent_id: "buyer", identity: "development_token" });
    const before = entries.length;
    for (const [kind, body] of [
      ["subject", { subject: { type: "agent" }, action: read, resource: r1 }],
      ["subject", { subject: buyer, action: read, resource: r1 }],
      ["resource", { subject: ann, action: read, resource: { type: "record" } }],
      ["resource", { subject: { type: "user", id: "buyer" }, action: read, resource: r1 }],
      ["action", { subject: ann, resource: r1 }],
    ] as const) {
      const { status, json } = await search(kind, body, asBuyer);
      expect([kind, status]).toEqual([kind, 403]);
      expect(json["detail"]).toContain("is not configured as an enforcement point");
    }
    expect(entries.length).toBe(before);
  });

  test("an agent that is called like a type searches for nobody", async () => {
    const odd = { ...someone, agent: "user:" };
    const { search } = world({
      identifier: { identify: async () => ({ ok: true, identity: odd }) },
    });
    const question = { subject: user, action: read, resource: r1 };
    expect((await search("subject", question)).status).toBe(403);
  });

  test("the same name in another tenant is no enforcement point", async () => {
    const { search } = world({ enforcementPoints: [{ ...pep, tenant: "other" }] });
    const question = { subject: user, action: read, resource: r1 };
    expect((await search("subject", question)).status).toBe(403);
  });

  test("nobody of another tenant is found", async () => {
    const { search } = world();
    const who = await search("subject", { subject: user, action: read, resource: r1 });
    expect(who.names).not.toContain("zoe");
  });
});

describe("pages", () => {
  const question = { subject: user, action: read, resource: r1 };

  test("a token goes on after the last candidate, with the limit it began with", async () => {
    const { search } = world();
    const first = await search("subject", { ...question, page: { limit: 1 } });
    expect(first.names).toEqual(["ann"]);
    expect(first.page.count).toBe(1);
    const token = first.page.next_token ?? "";
    const second = await search("subject", { ...question, page: { token } });
    expect(second.names).toEqual(["ben"]);
    const third = await search("subject", {
      ...question,
      page: { token: second.page.next_token ?? "", limit: 50 },
    });
    // Cleo was left, and is none: no results, and no more pages.
    expect([third.names, third.page.next_token]).toEqual([[], ""]);
    expect((await search("subject", { ...question, page: { token: "" } })).names).toHaveLength(2);
  });

  test("the page is as large as configured, at most", async () => {
    const { search } = world({ searchResultsMax: 1 });
    for (const page of [{}, { limit: 1000 }]) {
      const { names, page: given } = await search("subject", { ...question, page });
      expect(names).toEqual(["ann"]);
      expect(given.next_token).not.toBe("");
    }
    const none = await search("subject", { ...question, page: { limit: 0 } });
    expect([none.names, none.page.next_token === ""]).toEqual([[], false]);
  });

  test("a policy that changed between two pages judges the second", async () => {
    const { search, policy: active } = world();
    const { page } = await search("subject", { ...question, page: { limit: 1 } });
    active.activate(engineOf(`policy: closed\nrules: []\n`, "rev-2"));
    const next = await search("subject", { ...question, page: { token: page.next_token ?? "" } });
    expect(next.names).toEqual([]);
    expect(next.json["context"]).toMatchObject({ policy_version: "rev-2" });
  });

  const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  test.each<readonly [string, unknown]>([
    ["page no object", 1],
    ["a limit below zero", { limit: -1 }],
    ["a limit that is no whole number", { limit: 1.5 }],
    ["a limit in words", { limit: "10" }],
    ["a token that is none", { token: 7 }],
    ["a token of nobody", { token: "next" }],
    ["a token of another form", { token: made({ q: 1 }) }],
    ["a token with a limit of another form", { token: made({ q: "x", l: -1 }) }],
    ["a token of another question", { token: made({ q: "x", a: "ann" }) }],
    ["a token with bits to spare", { token: `${made({ q: "x" })}=` }],
  ])("%s is 400", async (_, page) => {
    const { search, entries } = world();
    expect((await search("subject", { ...question, page } as JsonObject)).status).toBe(400);
    expect(entries).toEqual([]);
  });

  test("a token is good only for its question", async () => {
    const { search } = world();
    const { page } = await search("subject", { ...question, page: { limit: 1 } });
    const token = page.next_token ?? "";
    for (const other of [
      { ...question, action: { name: "write" } },
      { ...question, context: { a: 1 } },
      { ...question, resource: { ...r1, properties: { team: "blue" } } },
    ]) {
      const { status, json } = await search("subject", { ...other, page: { token } });
      expect([status, String(json["detail"])]).toEqual([
        400,
        expect.stringContaining("another question"),
      ]);
    }
    const crossed = { subject: ann, action: read, resource: r1, page: { token } };
    expect((await search("resource", crossed)).status).toBe(400);
  });
});

describe("a search request", () => {
  test.each<readonly [string, string, JsonObject]>([
    ["subject", "no action", { subject: user, resource: r1 }],
    ["subject", "no subject", { action: read, resource: r1 }],
    ["subject", "no subject type", { subject: { id: "a" }, action: read, resource: r1 }],
    ["subject", "no resource id", { subject: user, action: read, resource: { type: "record" } }],
    ["resource", "no subject", { action: read, resource: { type: "record" } }],
    ["resource", "no subject id", { subject: user, action: read, resource: { type: "record" } }],
    ["resource", "no resource type", { subject: ann, action: read, resource: {} }],
    ["resource", "no action name", { subject: ann, action: {}, resource: { type: "record" } }],
    ["action", "no subject id", { subject: user, resource: r1 }],
    ["action", "no resource", { subject: ann }],
    ["action", "properties no object", { subject: ann, resource: { ...r1, properties: 1 } }],
    ["action", "context no object", { subject: ann, resource: r1, context: [] }],
  ])("%s: %s is 400", async (kind, _, body) => {
    const { search, entries } = world();
    expect((await search(kind, body)).status).toBe(400);
    expect(entries).toEqual([]);
  });

  test("unknown fields are ignored, an action in an action search too; X-Request-ID comes back", async () => {
    const { search } = world();
    const body = { subject: ann, resource: r1, action: 5, foo: {} };
    const { status, names, headers } = await search("action", body, { "x-request-id": "r-1" });
    expect([status, names, headers["x-request-id"]]).toEqual([200, ["read", "write"], "r-1"]);
  });

  test("an unknown type or id finds nothing and is no error", async () => {
    const { search } = world();
    const ship = { type: "spaceship" };
    for (const [kind, body] of [
      ["subject", { subject: ship, action: read, resource: r1 }],
      ["subject", { subject: user, action: read, resource: { type: "record", id: "r9" } }],
      ["resource", { subject: ann, action: read, resource: ship }],
      ["resource", { subject: { ...user, id: "x" }, action: read, resource: { type: "record" } }],
      ["action", { subject: { ...user, id: "x" }, resource: r1 }],
      ["action", { subject: ann, resource: { ...ship, id: "1" } }],
    ] as const) {
      const { status, json } = await search(kind, body);
      expect([status, json["results"]]).toEqual([200, []]);
    }
  });
});
