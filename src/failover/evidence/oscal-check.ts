/**
 * Checks an OSCAL document that we wrote: every member is one that OSCAL 1.2.1 has there, none is missing, identifiers
 * and times have their form, and every reference is to something in the document. The published schema is the judge
 * (`holdfast failover evidence oscal --schema`); this runs wherever no copy of it is at hand.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";

type Check = (value: JsonValue, path: string, problems: string[]) => void;

const text: Check = (value, path, problems) => {
  if (typeof value !== "string" || !/\S/.test(value)) problems.push(`${path} is no text`);
};
const matching =
  (pattern: RegExp, what: string): Check =>
  (value, path, problems) => {
    if (typeof value !== "string" || !pattern.test(value)) problems.push(`${path} is no ${what}`);
  };
const uuid = matching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  "UUID of version 4 or 5",
);
const time = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, "time with its zone");
const token = matching(/^(?:\p{L}|_)(?:\p{L}|\p{N}|[.\-_])*$/u, "token");
const uri = matching(/^\S+$/, "reference");
const among = (...words: readonly string[]): Check =>
  matching(new RegExp(`^(?:${words.join("|")})$`), `word of ${words.join(", ")}`);

/** A list is never empty in OSCAL: what has no members is left out. */
const list =
  (check: Check): Check =>
  (value, path, problems) => {
    if (!isJsonArray(value) || value.length === 0) problems.push(`${path} is no list with members`);
    else for (const [i, item] of value.entries()) check(item, `${path}[${i}]`, problems);
  };

type Members = Readonly<Record<string, Check>>;

/** Names that end in `?` may be left out. */
const object =
  (members: Members): Check =>
  (value, path, problems) => {
    if (!isJsonObject(value)) problems.push(`${path} is no object`);
    else checkMembers(members, value, path, problems);
  };

function checkMembers(members: Members, value: JsonObject, path: string, problems: string[]): void {
  for (const name of Object.keys(value))
    if (!(name in members) && !(`${name}?` in members)) problems.push(`${path} has no ${name}`);
  for (const [key, check] of Object.entries(members)) {
    const name = key.replace(/\?$/, "");
    const member = value[name];
    if (member !== undefined) check(member, `${path}.${name}`, problems);
    else if (!key.endsWith("?")) problems.push(`${path}.${name} is missing`);
  }
}

const property = object({ name: token, "ns?": uri, value: text, "class?": token });
const observation = object({
  ...{ uuid, description: text, collected: time },
  methods: list(among("EXAMINE", "INTERVIEW", "TEST", "UNKNOWN")),
  "relevant-evidence?": list(object({ "href?": uri, description: text })),
});
const range = object({ start: time, end: time });
const risk = object({
  ...{ uuid, title: text, description: text, statement: text, "deadline?": time },
  status: among("open", "investigating", "remediating", "deviation-requested", "closed"),
  "props?": list(property),
  "remediations?": list(
    object({
      ...{ uuid, title: text, description: text },
      lifecycle: among("recommendation", "planned", "completed"),
      "tasks?": list(
        object({
          ...{ uuid, type: among("milestone", "action"), title: text },
          "timing?": object({ "within-date-range": range }),
          "responsible-roles?": list(object({ "role-id": token, "party-uuids": list(uuid) })),
        }),
      ),
    }),
  ),
  "related-observations?": list(object({ "observation-uuid": uuid })),
});
const finding = object({
  ...{ uuid, title: text, description: text },
  target: object({
    type: among("statement-id", "objective-id"),
    "target-id": token,
    status: object({
      state: among("satisfied", "not-satisfied"),
      "reason?": among("pass", "fail", "other"),
    }),
  }),
  "related-observations?": list(object({ "observation-uuid": uuid })),
  "related-risks?": list(object({ "risk-uuid": uuid })),
});
const metadata = object({
  ...{ title: text, "last-modified": time, version: text },
  "oscal-version": among("1\\.2\\.1"),
  "roles?": list(object({ id: token, title: text })),
  "parties?": list(object({ uuid, type: among("person", "organization"), name: text })),
});
const resource = object({ uuid, "title?": text, "description?": text });

const results = object({
  ...{ uuid, metadata },
  "import-ap": object({ href: uri, "remarks?": text }),
  results: list(
    object({
      ...{ uuid, title: text, description: text, start: time, end: time },
      "reviewed-controls": object({
        "control-selections": list(
          object({ "include-controls": list(object({ "control-id": token })) }),
        ),
      }),
      "observations?": list(observation),
      "risks?": list(risk),
      "findings?": list(finding),
    }),
  ),
  "back-matter?": object({ resources: list(resource) }),
});

const plan = object({
  ...{ uuid, metadata, "system-id": object({ id: text }) },
  "observations?": list(observation),
  "risks?": list(risk),
  "poam-items": list(
    object({
      ...{ uuid, title: text, description: text, props: list(property) },
      "related-observations": list(object({ "observation-uuid": uuid })),
      "related-risks": list(object({ "risk-uuid": uuid })),
    }),
  ),
});

/** Every problem, each with its path; empty: it is well-formed. */
export function oscalProblems(document: JsonObject): readonly string[] {
  const problems: string[] = [];
  const kind = Object.keys(document)[0];
  if (kind === "assessment-results") object({ [kind]: results })(document, "$", problems);
  else if (kind === "plan-of-action-and-milestones") {
    object({ [kind]: plan })(document, "$", problems);
    problems.push(...unowned(document));
  } else return [`$ is neither assessment-results nor plan-of-action-and-milestones`];
  return [...problems, ...dangling(document)];
}

/** Each weakness has an owner and a due date. */
function unowned(document: JsonObject): readonly string[] {
  const root = document["plan-of-action-and-milestones"];
  const items = isJsonObject(root) && isJsonArray(root["poam-items"]) ? root["poam-items"] : [];
  return items.flatMap((item, i) => {
    const props = isJsonObject(item) && isJsonArray(item["props"]) ? item["props"] : [];
    const names = props.map((each) => (isJsonObject(each) ? each["name"] : undefined));
    return ["owner", "due"]
      .filter((name) => !names.includes(name))
      .map((name) => `$.poam-items[${i}] has no ${name}`);
  });
}

/** References to what is not there, and identifiers that stand twice. */
function dangling(document: JsonObject): readonly string[] {
  const ids: string[] = [];
  const references: string[] = [];
  visit(document, (name, member) => {
    if (name === "uuid") ids.push(member);
    else if (/-uuids?$/.test(name)) references.push(member);
    else if (name === "href" && member.startsWith("#")) references.push(member.slice(1));
  });
  const known = new Set(ids);
  return [
    ...references.filter((id) => !known.has(id)).map((id) => `nothing here is ${id}`),
    ...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `${id} stands twice`),
  ];
}

/** Every text of the document with the name it stands under. */
function visit(value: JsonValue, each: (name: string, member: string) => void, name = ""): void {
  if (typeof value === "string") each(name, value);
  else if (isJsonArray(value)) for (const item of value) visit(item, each, name);
  else if (isJsonObject(value))
    for (const [key, member] of Object.entries(value)) visit(member, each, key);
}
