/** AG-403 4.7: an experiment that could not fail, or reaches further than it says, is not loaded. */
import { expect, test } from "vitest";
import { action, experiment, probe, problems, read } from "./experiments.ts";

test("a whole experiment is read, with seconds as milliseconds", () => {
  const { method, rollbacks, governance, steadyState } = read(experiment());
  expect([method, rollbacks].map((list) => list.map(({ name }) => name))).toEqual([
    ["break"],
    ["mend"],
  ]);
  expect(steadyState.probes[0]).toMatchObject({
    provider: { type: "process", argv: ["look", "nothing ungoverned"], timeoutMs: 10_000 },
    tolerance: { kind: "equals", value: 0 },
  });
  expect(governance.expect[0]).toMatchObject({ withinMs: 1_000, blocking: true });
});

test("variables are filled in: given, from the file, from the environment; the source keeps its placeholders", () => {
  const value = experiment(
    {
      configuration: { who: "file", port: 80, home: { type: "env", key: "HOME_OF" } },
      secrets: { guard: { token: { type: "env", key: "GUARD_TOKEN" } } },
      method: [
        action("break", {
          provider: {
            type: "http",
            url: "http://dub.example:\u0024{port}/x",
            headers: { Authorization: "Bearer \u0024{token}" },
            arguments: { who: "\u0024{who}", port: "\u0024{port}" },
          },
        }),
      ],
    },
    { targets: [{ site: "dub", components: ["audit"], paths: ["\u0024{home}/x"], origins: [] }] },
  );
  const loaded = read(value, { who: "given" }, { HOME_OF: "/srv", GUARD_TOKEN: "s3cret" });
  expect(loaded.method[0]?.provider).toEqual({
    type: "http",
    url: "http://dub.example:80/x",
    method: "GET",
    headers: { authorization: "Bearer s3cret" },
    body: { who: "given", port: 80 },
    timeoutMs: 10_000,
  });
  expect(loaded.governance.targets[0]?.paths).toEqual(["/srv/x"]);
  expect(JSON.stringify(loaded.source)).not.toContain("s3cret");
  expect(loaded.secrets).toEqual(["s3cret"]);
});

test.each<[string, ReturnType<typeof experiment>, RegExp]>([
  ["a mistyped word", { ...experiment(), metod: [] }, /metod: unknown field "metod"/],
  ["no extension", { ...experiment(), extensions: [] }, /an extension \{"name": "holdfast"/],
  ["no hypothesis", experiment({ "steady-state-hypothesis": { probes: [] } }), /cannot fail/],
  ["no action", experiment({ method: [probe("x")] }), /without an action simulates no failure/],
  ["no proof of the fault", experiment({}, { fault_proof: [] }), /would be inconclusive/],
  [
    "nothing blocking",
    experiment({}, { expect: [{ probe: probe("x"), blocking: false }] }),
    /nothing blocking cannot fail/,
  ],
  ["no state", experiment({}, { state: [] }), /the rollback must restore/],
  ["no targets", experiment({}, { targets: [] }), /declares what it may touch/],
  [
    "a path to everything",
    experiment({}, { targets: [{ site: "dub", paths: ["/srv/../etc"] }] }),
    /absolute path below/,
  ],
  ["an action without reach", experiment({}, { reach: {} }), /"break" does not say which site/],
  [
    "a probe without tolerance",
    experiment({}, { expect: [{ probe: { ...probe("x"), tolerance: null } }] }),
    /null is no tolerance/,
  ],
  [
    "Python",
    experiment({ method: [action("break", { provider: { type: "python", module: "x" } })] }),
    /"python" cannot be run here/,
  ],
  [
    "arguments for a shell",
    experiment({
      method: [action("break", { provider: { type: "process", path: "x", arguments: "a b" } })],
    }),
    /no shell splits them/,
  ],
  [
    "a fault in the background",
    experiment({ method: [action("break", { background: true })] }),
    /foreground/,
  ],
  ["Python controls", experiment({ controls: [{ name: "x" }] }), /are not run here/],
  [
    "an unknown variable",
    experiment({
      method: [action("break", { provider: { type: "process", path: "\u0024{nix}" } })],
    }),
    /\$\{nix\} is no variable/,
  ],
  [
    "a secret in the file",
    experiment({ secrets: { a: { token: "s3cret" } } }),
    /a secret comes from the environment/,
  ],
  [
    "a JSON path with a filter",
    experiment(
      {},
      {
        expect: [{ probe: probe("x", { tolerance: { type: "jsonpath", path: "$..a" } }) }],
      },
    ),
    /only plain paths/,
  ],
])("refused: %s", (_, value, message) => {
  expect(problems(value).join("\n")).toMatch(message);
});

test("an unknown --var is refused", () => {
  expect(problems(experiment(), { nix: "1" })).toEqual([
    ": the experiment has no variable nix in its configuration",
  ]);
});

test("an activity is taken up again by its name", () => {
  expect(read(experiment({ method: [action("break"), { ref: "break" }] })).method).toHaveLength(2);
  expect(problems(experiment({ method: [{ ref: "break" }] })).join()).toMatch(/no activity before/);
});
