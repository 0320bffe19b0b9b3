/** A search asks users' own Rego what an evaluation would ask it. */
import { expect, test } from "vitest";
import { ok } from "../../../../src/kernel/index.ts";
import type { RegoQuestion, RegoRuntime } from "../../../../src/ports.ts";
import { realClock } from "../../../fixtures/fake-spine.ts";
import { known, realSpine } from "./real-spine.ts";
import { authZenWorld } from "./world.ts";

const policy = `
tools:
  record:read: { effect: read, risk: low }
policy: test
rules:
  - { id: read, match: { tools: record:read, agents: user:* }, outcome: allow }
  - id: own
    match: { tools: record:read, agents: user:* }
    rego: { bundle: own.tar.gz, entrypoint: own/good }
    outcome: deny
    reason: own Rego says no
`;

const directory = {
  subjects: ["ann", "ben", "cleo"].map((name) => known("user", name, { name })),
  resources: ["r1", "r2", "r3"].map((id) => known("record", id, {})),
};

function world(says: (question: RegoQuestion) => Promise<boolean>) {
  const asked: RegoQuestion[] = [];
  const rego: RegoRuntime = {
    load: async () => ok(undefined),
    ask: async (question) => {
      asked.push(question);
      return ok(await says(question));
    },
  };
  const real = realSpine(policy, directory, realClock, 64, rego);
  const face = authZenWorld(real.spine, { directory: real.directory });
  const search = async (): Promise<readonly unknown[]> => {
    const { json } = await face.post("search/resource", {
      subject: { type: "user", id: "ann" },
      action: { name: "read" },
      resource: { type: "record" },
    });
    return (json["results"] as { id: string }[]).map(({ id }) => id);
  };
  return { asked, search };
}

const idIn = ({ input }: RegoQuestion): unknown => (input["resource"] as { id: string }).id;

test("each candidate is asked about, and its answer counts for it alone", async () => {
  const { asked, search } = world(async (question) => idIn(question) === "r2");
  expect(await search()).toEqual(["r1", "r3"]);
  expect(asked.map(idIn)).toEqual(["r1", "r2", "r3"]);
});

test("others go on while an answer is awaited", async () => {
  let release = (): void => undefined;
  const waits = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { search, asked } = world(async (question) => {
    if (idIn(question) === "r1" && asked.length === 1) await waits;
    return false;
  });
  const first = search();
  expect(await search()).toEqual(["r1", "r2", "r3"]);
  release();
  expect(await first).toEqual(["r1", "r2", "r3"]);
});
