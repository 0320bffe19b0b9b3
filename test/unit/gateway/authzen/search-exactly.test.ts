/** Section 8: the results of a search are exactly the known candidates for which an evaluation says true. */
import fc from "fast-check";
import { expect, inject, test } from "vitest";
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { known, realSpine } from "./real-spine.ts";
import { type AuthZenWorld, authZenWorld } from "./world.ts";

const policy = `
tools:
  record:read: { effect: read, risk: low }
  record:share: { effect: write, risk: high }
  record:write: { effect: write, risk: high }
policy: generated
rules:
  - id: read
    match: { tools: record:read }
    when: resource.properties.team == subject.properties.team
    outcome: allow
  - id: write
    match: { tools: record:write }
    when: resource.properties.owner == subject.properties.name
    outcome: allow
  - id: not-blue
    match: { tools: record:write }
    when: resource.properties.team == "blue"
    outcome: deny
    reason: What is blue stays as it is
  - id: share
    match: { tools: record:share }
    outcome: approval_needed
    reason: People decide what is shared
`;

type Face = AuthZenWorld<ReturnType<typeof realSpine>["spine"]>;

/** All pages, one after the other. */
async function searched(face: Face, kind: string, question: JsonObject, limit: number) {
  const found: JsonObject[] = [];
  for (let page: JsonObject = { limit }; ; ) {
    const { json } = await face.post(`search/${kind}`, { ...question, page });
    const results = json["results"] as JsonObject[];
    expect(results.length).toBeLessThanOrEqual(limit);
    found.push(...results);
    const { next_token: token } = json["page"] as { readonly next_token: string };
    if (token === "") return found;
    page = { token };
  }
}

/** Those for which an evaluation says true. */
async function permitted(
  face: Face,
  candidates: readonly JsonObject[],
  questionOf: (candidate: JsonObject) => JsonObject,
) {
  const found: JsonObject[] = [];
  for (const candidate of candidates) {
    const { json } = await face.post("evaluation", questionOf(candidate));
    if (json["decision"] === true) found.push(candidate);
  }
  return found;
}

const actions = ["read", "share", "write"].map((name) => ({ name }));

/** Every question that can be asked of these, searched and evaluated. */
async function compare(
  face: Face,
  users: readonly JsonObject[],
  records: readonly JsonObject[],
  limit: number,
) {
  const user = { type: "user" };
  const record = { type: "record" };
  for (const action of actions) {
    for (const resource of records)
      expect(await searched(face, "subject", { subject: user, action, resource }, limit)).toEqual(
        await permitted(face, users, (subject) => ({ subject, action, resource })),
      );
    for (const subject of users)
      expect(
        await searched(face, "resource", { subject, action, resource: record }, limit),
      ).toEqual(await permitted(face, records, (resource) => ({ subject, action, resource })));
  }
  for (const subject of users)
    for (const resource of records)
      expect(await searched(face, "action", { subject, resource }, limit)).toEqual(
        await permitted(face, actions, (action) => ({ subject, action, resource })),
      );
}

const entity = fc.record(
  { team: fc.constantFrom("red", "blue"), name: fc.constantFrom("n0", "n1", "n2") },
  { requiredKeys: [] },
);

test("of generated directories, page by page", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entity, { maxLength: 5 }),
      fc.array(entity, { maxLength: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      async (people, things, limit, searchCandidatesMax) => {
        const subjects = people.map((person, at) => known("user", `u${at}`, person));
        const resources = things.map(({ team, name }, at) =>
          known("record", `x${at}`, { ...(team && { team }), ...(name && { owner: name }) }),
        );
        const { spine, directory } = realSpine(policy, { subjects, resources });
        const face = authZenWorld(spine, { directory, searchCandidatesMax });
        const names = (all: typeof subjects) => all.map(({ type, id }) => ({ type, id }));
        await compare(face, names(subjects), names(resources), limit);
      },
    ),
    { numRuns: 10 * inject("effort") },
  );
});
