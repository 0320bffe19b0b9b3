/**
 * The AuthZEN 1.0 certification scenario, read from the document itself: every request in it is sent to a real gateway
 * that holds the fixture of section 1, and the answer is held against what the document expects. What the document
 * only says in prose is written out below.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileSchema } from "../../src/adapters/json-schema/index.ts";
import type { JsonObject } from "../../src/kernel/index.ts";
import type { Asked, DecisionPoint } from "../../test/fixtures/decision-point.ts";
import { withDecisionPoint } from "./authzen.ts";
import { type Case, declined, failed, passed, type VectorSet } from "./case.ts";

/** One request of the document. */
interface Scripted {
  /** `c-2-2-1`, with a number where a section has several. */
  readonly id: string;
  readonly section: string;
  readonly path: string;
  readonly request: unknown;
  readonly status: number;
  /** The sentence after «Expected:». */
  readonly says: string;
  /** The expected body, where there is one; `"<boolean>"` stands for either. */
  readonly body: JsonObject | undefined;
}

export const authzenCertification: VectorSet = {
  name: "authzen-certification",
  path: "authzen/certification-scenario.md",
  source: "certification/authorization-api-1_0-scenario.md of github.com/openid/authzen",
  run: (path) =>
    withDecisionPoint("certification", async (point) => {
      const seen = new Map<string, Asked>();
      const cases: Case[] = [];
      const valid = compileSchema(
        JSON.parse(
          readFileSync(join(dirname(path), "evaluation-response.schema.json"), "utf8"),
        ) as JsonObject,
      );
      for (const step of scripted(readFileSync(path, "utf8"))) {
        const answer = await point.post(step.path, step.request);
        seen.set(step.section, answer);
        const wrong = [...mismatches(step, answer, seen), ...malformed(step, answer, valid)];
        cases.push(wrong.length === 0 ? passed(step.id) : failed(step.id, wrong.join("; ")));
      }
      return [...cases, ...(await prose(point))];
    }),
};

const block = String.raw`~~~(?: json)?\n([\s\S]*?)\n~~~`;
const exchange = new RegExp(
  String.raw`\*\*([^*\n]+):\*\*[^\n]*\n+${block}\n+[^~]*?\*\*Expected:\*\*([^\n]*)(?:\n(?!\n*\*\*)[^~#]*?${block})?`,
  "g",
);

function scripted(document: string): readonly Scripted[] {
  const sections = document.split(/^(?=#+ .*\{#c-)/m);
  return sections.flatMap((text) => {
    const section = /\{#(c-[\d-]+)\}/.exec(text)?.[1];
    if (section === undefined || /^c-(1|4-5-2|6)\b/.test(section)) return [];
    return [...text.matchAll(exchange)].map((found, at) => {
      const [, label = "", request = "", says = "", body] = found;
      return {
        id: at === 0 ? section : `${section} (${at + 1})`,
        section,
        path: pathOf(section, label),
        request: JSON.parse(request),
        status: Number(/HTTP (\d+)/.exec(says)?.[1] ?? 200),
        says,
        body: body === undefined ? undefined : expectedBody(body),
      };
    });
  });
}

/** Which endpoint a section is about; some say it in the label of the request. */
function pathOf(section: string, label: string): string {
  const [, kind] = /^(Subject|Resource|Action) Search/.exec(label.replace("Request (", "")) ?? [];
  if (kind !== undefined) return `/access/v1/search/${kind.toLowerCase()}`;
  if (/^c-4-3/.test(section)) return "/access/v1/search/resource";
  if (/^c-4-4/.test(section)) return "/access/v1/search/action";
  if (/^c-4/.test(section)) return "/access/v1/search/subject";
  return /^c-3/.test(section) ? "/access/v1/evaluations" : "/access/v1/evaluation";
}

function expectedBody(text: string): JsonObject {
  return JSON.parse(text.replaceAll(/<(\w+)>/g, '"<$1>"')) as JsonObject;
}

function mismatches(
  { status, says, body, section }: Scripted,
  answer: Asked,
  seen: ReadonlyMap<string, Asked>,
): readonly string[] {
  const wrong: string[] = [];
  if (answer.status !== status) wrong.push(`status ${answer.status} and not ${status}`);
  const said = /^ HTTP 200, `"decision": (true|false)`/.exec(says)?.[1];
  if (said !== undefined && String(answer.body["decision"]) !== said)
    wrong.push(`decision ${String(answer.body["decision"])}`);
  if (body !== undefined) wrong.push(...lacking(body, answer.body));
  const [, same] = /identical to \[\]\(#(c-[\d-]+)\)/.exec(says) ?? [];
  if (same !== undefined && same !== section) {
    const [ours, theirs] = [answer.body, seen.get(same)?.body].map((each) =>
      JSON.stringify(each?.["results"]),
    );
    if (ours === undefined || ours !== theirs) wrong.push(`results differ from those of ${same}`);
  }
  return wrong;
}

/** What the expected body has and the given one has not. Results must be among those given; none means none. */
function lacking(expected: JsonObject, given: Asked["body"]): readonly string[] {
  const { decision, evaluations, results } = expected;
  const wrong: string[] = [];
  if (decision !== undefined && given["decision"] !== decision) wrong.push("another decision");
  if (Array.isArray(evaluations)) {
    const got = (given["evaluations"] ?? []) as { readonly decision?: unknown }[];
    const wanted = evaluations as readonly { readonly decision: unknown }[];
    const fits =
      got.length === wanted.length &&
      wanted.every(({ decision: want }, at) =>
        want === "<boolean>" ? typeof got[at]?.decision === "boolean" : got[at]?.decision === want,
      );
    if (!fits) wrong.push(`evaluations ${JSON.stringify(got.map((each) => each.decision))}`);
  }
  if (Array.isArray(results)) {
    const got = ((given["results"] ?? []) as unknown[]).map((each) => JSON.stringify(each));
    const missing = results.filter((each) => !got.includes(JSON.stringify(each)));
    if (missing.length > 0) wrong.push(`results lack ${JSON.stringify(missing)}`);
    if (results.length === 0 && got.length > 0) wrong.push(`results ${got.join(", ")}`);
  }
  return wrong;
}

/** Sections 2.3, 3.3, 4.5.3 and 5: the form of every answer. */
function malformed(
  { path, request }: Scripted,
  { status, headers, body }: Asked,
  valid: ReturnType<typeof compileSchema>,
): readonly string[] {
  if (status !== 200) return [];
  const wrong: string[] = [];
  if (headers.get("content-type") !== "application/json") wrong.push("content type");
  if (path.includes("/search/")) {
    const results = body["results"];
    const type = (request as Record<string, { type?: string }>)[path.split("/").at(-1) ?? ""]?.type;
    const fits = (each: Record<string, unknown>): boolean =>
      path.endsWith("action")
        ? typeof each["name"] === "string"
        : each["type"] === type && typeof each["id"] === "string";
    if (!Array.isArray(results) || !results.every(fits)) wrong.push("form of the results");
    const { page } = body as { page?: { next_token?: unknown } };
    if (page !== undefined && typeof page.next_token !== "string") wrong.push("form of the page");
    return wrong;
  }
  const answers = "evaluations" in body ? (body["evaluations"] as JsonObject[]) : [body];
  for (const each of answers)
    wrong.push(...valid(each).map(({ message }) => `form of the decision: ${message}`));
  return wrong;
}

type Check = (point: DecisionPoint) => Promise<boolean>;

const evaluation = "/access/v1/evaluation";
const readable = {
  subject: { type: "user", id: "alice" },
  action: { name: "read" },
  resource: { type: "record", id: "record-1" },
};
const readers = { ...readable, subject: { type: "user" } };

const checks: Readonly<Record<string, Check>> = {
  "c-2-4-3": async ({ post }) =>
    (await post(evaluation, readable, { "content-type": "text/plain" })).status === 400,
  "c-2-4-4": async ({ post }) => (await post(evaluation, "{")).status === 400,
  "c-2-4-5": async ({ post }) => (await post(evaluation, "")).status === 400,
  "c-2-5-1": async ({ post }) => {
    const paths = [evaluation, "/access/v1/evaluations", "/access/v1/search/subject"];
    const answers = await Promise.all(
      [...paths, `${evaluation}/none`].map((path) =>
        post(path, readable, { "x-request-id": `id of ${path}` }).then(({ headers }) =>
          headers.get("x-request-id"),
        ),
      ),
    );
    return answers.every((id, at) => id === `id of ${paths[at] ?? `${evaluation}/none`}`);
  },
  "c-2-5-2": async ({ post }) => (await post(evaluation, readable)).status === 200,
  "c-2-6": async ({ post }) => {
    const decisions: unknown[] = [];
    for (let times = 0; times < 5; times++)
      decisions.push((await post(evaluation, readable)).body["decision"]);
    return decisions.every((decision) => decision === true);
  },
  "c-4-5-2": async ({ post }) => {
    const page = { limit: 1 };
    const ids: string[] = [];
    for (let token = "", pages = 0; pages < 10; pages++) {
      const asked = token === "" ? { ...readers, page } : { ...readers, page: { token } };
      const { status, body } = await post("/access/v1/search/subject", asked);
      const given = body as { results?: { id: string }[]; page?: { next_token?: unknown } };
      if (status !== 200 || typeof given.page?.next_token !== "string") return false;
      ids.push(...(given.results ?? []).map(({ id }) => id));
      token = given.page.next_token;
      if (token === "") return pages > 0 && ids.join() === "alice,bob";
    }
    return false;
  },
  "c-4-6 at each endpoint": async ({ post }) => {
    const [user, record] = [readable.subject, readable.resource];
    const { action } = readable;
    const questions: readonly (readonly [string, object])[] = [
      ["subject", { subject: { type: "user" }, action, resource: { ...record, id: "none" } }],
      ["subject", { subject: { type: "user" }, action, resource: { ...record, type: "planet" } }],
      ["resource", { subject: { ...user, id: "none" }, action, resource: { type: "record" } }],
      ["resource", { subject: user, action, resource: { type: "planet" } }],
      ["action", { subject: user, resource: { ...record, type: "planet" } }],
      ["action", { subject: user, resource: { ...record, id: "none" } }],
    ];
    const answers = await Promise.all(
      questions.map(([kind, question]) => post(`/access/v1/search/${kind}`, question)),
    );
    return answers.every(
      ({ status, body }) => status === 200 && JSON.stringify(body["results"]) === "[]",
    );
  },
  "c-6": async ({ get }) => {
    const { status, headers, body } = await get("/.well-known/authzen-configuration");
    const base = "https://pdp.example.com";
    const endpoints = Object.entries(body).filter(([name]) => name.endsWith("_endpoint"));
    return (
      status === 200 &&
      headers.get("content-type") === "application/json" &&
      body["policy_decision_point"] === base &&
      "access_evaluation_endpoint" in body &&
      endpoints.length === 5 &&
      endpoints.every(([, url]) => String(url).startsWith(`${base}/access/v1/`))
    );
  },
};

async function prose(point: DecisionPoint): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const [id, check] of Object.entries(checks))
    cases.push((await check(point)) ? passed(id) : failed(id, "is not as the section says"));
  return [...cases, declined("c-5 HTTPS", "tls_in_front")];
}
