/**
 * Questions of our own for each level of the AuthZEN 1.0 certification scenario, to the fixture that the scenario
 * requires (`examples/authzen/certification`).
 */

export interface Step {
  readonly what: string;
  readonly path: string;
  /** A text is sent as it is. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** 400, the decisions in order, or the ids or names that are found. */
  readonly expected: 400 | boolean | readonly boolean[] | readonly string[];
}

const [evaluation, evaluations] = ["/access/v1/evaluation", "/access/v1/evaluations"];
const user = (id: string, properties?: object) => ({ type: "user", id, ...of(properties) });
const record = (id: string, properties?: object) => ({ type: "record", id, ...of(properties) });
const action = (name: string, properties?: object) => ({ name, ...of(properties) });
const of = (properties: object | undefined) => (properties === undefined ? {} : { properties });
const ask = (subject: unknown, verb: unknown, resource: unknown, more: object = {}) => ({
  ...{ subject, action: verb, resource },
  ...more,
});

const alice = user("alice");
const bob = user("bob");
const admin = user("bob", { role: "admin" });
const [read, write] = [action("read"), action("write")];
const [first, second] = [record("record-1"), record("record-2")];
const archived = record("record-2", { status: "archived" });
const good = ask(alice, read, first);

const one = (what: string, body: unknown, expected: Step["expected"]): Step => ({
  ...{ what, path: evaluation, body, expected },
});
const many = (what: string, body: unknown, expected: Step["expected"]): Step => ({
  ...{ what, path: evaluations, body, expected },
});
const find = (
  kind: "subject" | "resource" | "action",
  what: string,
  body: unknown,
  expected: Step["expected"],
): Step => ({ what, path: `/access/v1/search/${kind}`, body, expected });

const anyone = { type: "user" };
const anything = { type: "record" };
const context = { time: "2026-01-01T00:00:00Z", ip: "192.0.2.1" };

export const levels: Readonly<Record<string, readonly Step[]>> = {
  "Basic Core": [
    one("rule 1", good, true),
    one("rule 2", ask(alice, write, first), true),
    one("rule 3", ask(bob, read, first), true),
    one("rule 4", ask(bob, write, first), false),
    one("context changes nothing", { ...good, context }, true),
    one("properties nobody asked about", ask(user("alice", { hat: 1 }), read, first), true),
    one("unknown fields", { ...good, later: { a: [1] } }, true),
    one("no subject", ask(undefined, read, first), 400),
    one("no action", ask(alice, undefined, first), 400),
    one("no resource", ask(alice, read, undefined), 400),
    one("no subject type", ask({ id: "alice" }, read, first), 400),
    one("no subject id", ask(anyone, read, first), 400),
    one("no action name", ask(alice, {}, first), 400),
    one("no resource type", ask(alice, read, { id: "record-1" }), 400),
    one("no resource id", ask(alice, read, anything), 400),
    one("a subject of a wrong type", ask("alice", read, first), 400),
    one("a name of a wrong type", ask(alice, { name: 1 }, first), 400),
    { ...one("not said to be JSON", good, 400), headers: { "content-type": "text/plain" } },
    one("not JSON", "{", 400),
    one("nothing", "", 400),
  ],
  "Basic Properties": [
    one("rule 5", ask(alice, write, archived), false),
    one("rule 6", ask(admin, write, archived), true),
    one("rule 7", ask(alice, action("delete", { soft: true }), first), true),
    one("rule 8", ask(alice, action("delete", { soft: false }), first), false),
    one(
      "rule 5, whatever the directory knows",
      ask(alice, write, record("record-1", { status: "archived" })),
      false,
    ),
    one("rule 6, whoever it is", ask(user("eve", { role: "admin" }), write, archived), true),
  ],
  "Batch Core": [
    many(
      "subject and action for all",
      ask(alice, read, undefined, { evaluations: [{ resource: first }, { resource: second }] }),
      [true, true],
    ),
    many(
      "in order",
      ask(bob, undefined, first, { evaluations: [{ action: read }, { action: write }] }),
      [true, false],
    ),
    many("nothing for all", { evaluations: [good, ask(bob, write, first)] }, [true, false]),
    many(
      "a context of its own",
      { ...good, context, evaluations: [{}, { resource: second, context: { a: 1 } }] },
      [true, true],
    ),
    many(
      "one that is incomplete",
      ask(alice, read, undefined, {
        options: { evaluations_semantic: "execute_all" },
        evaluations: [{ resource: first }, {}],
      }),
      [true, false],
    ),
    many(
      "the first denial ends it",
      {
        ...good,
        options: { evaluations_semantic: "deny_on_first_deny" },
        evaluations: [{}, { subject: bob, action: write }, {}],
      },
      [true, false],
    ),
    many(
      "the first permit ends it",
      {
        ...good,
        options: { evaluations_semantic: "permit_on_first_permit" },
        evaluations: [{ subject: bob, action: write }, {}, {}],
      },
      [false, true],
    ),
    many("no list", good, true),
    many("an empty list", { ...good, evaluations: [] }, true),
    many("a default of a wrong type", { ...good, subject: 1, evaluations: [{}] }, 400),
  ],
  "Batch Properties": [
    many(
      "of resources",
      ask(alice, write, undefined, {
        evaluations: [
          { resource: record("record-1", { status: "active" }) },
          { resource: archived },
        ],
      }),
      [true, false],
    ),
    many(
      "of subjects",
      ask(undefined, write, archived, { evaluations: [{ subject: alice }, { subject: admin }] }),
      [false, true],
    ),
    many(
      "what an item says replaces the default whole",
      ask(alice, write, record("record-1", { status: "active" }), {
        evaluations: [{}, { resource: archived }],
      }),
      [true, false],
    ),
  ],
  "Search Core": [
    find("subject", "S1", ask(anyone, read, first), ["alice", "bob"]),
    find("subject", "S1 with a context", ask(anyone, read, first, { context }), ["alice", "bob"]),
    find("subject", "S1 with an id, ignored", good, ["alice", "bob"]),
    find("resource", "S2", ask(alice, read, anything), ["record-1", "record-2"]),
    find("resource", "S2 with an id, ignored", good, ["record-1", "record-2"]),
    find("action", "S3", ask(alice, undefined, first), ["read", "write"]),
    find("subject", "an unknown type", ask({ type: "spaceship" }, read, first), []),
    find("subject", "an unknown resource", ask(anyone, read, record("none")), []),
    find("resource", "an unknown subject", ask(user("none"), read, anything), []),
    find("action", "an unknown subject", ask(user("none"), undefined, first), []),
    find("subject", "no action", ask(anyone, undefined, first), 400),
    find("subject", "no resource id", ask(anyone, read, anything), 400),
    find("resource", "no subject", ask(undefined, read, anything), 400),
    find("resource", "no subject id", ask(anyone, read, anything), 400),
    find("action", "no resource", { subject: alice }, 400),
    find("action", "no subject id", ask(anyone, undefined, first), 400),
  ],
  "Search Properties": [
    find("subject", "S4", ask(anyone, write, archived), ["bob"]),
    find("resource", "S5", ask(admin, write, anything), ["record-2"]),
    find("action", "S6", ask(admin, undefined, archived), ["read", "write"]),
  ],
};
