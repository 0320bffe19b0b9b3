/**
 * Marks say which part of an infrastructure is which component: labels, annotations or tags `holdfast.dev/<word>`. Where
 * slashes and dots are not allowed, `holdfast-<word>` or `holdfast_<word>` means the same.
 */
import {
  type ComponentClass,
  componentClasses,
  type VerificationKind,
} from "../../failover/index.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import { diagnosticAt, nearestWord, type Problem, parseForeignYaml } from "../../policy/index.ts";
import { jsonOf } from "../source-tree/index.ts";
import type { DraftComponent, Place } from "./found.ts";

export const markWords = [
  "class",
  "name",
  "verify",
  "on-failure",
  "depends-on",
  "sites",
  "controls",
  "covers",
  "latency-ms-max",
  "host",
] as const;

export type MarkWord = (typeof markWords)[number];

export interface Mark {
  readonly value: JsonValue;
  readonly place: Place;
}

export type Marks = ReadonlyMap<string, Mark>;

export interface ReadMarks {
  readonly class?: ComponentClass;
  readonly setAside: boolean;
  readonly diagnostics: ReturnType<typeof diagnosticAt>[];
  /** What the marks say besides, over what the file says by itself. */
  component(derived: Derived): DraftComponent;
  text(word: MarkWord): string | undefined;
}

/** What a file says of a component without any mark. */
export interface Derived {
  readonly name: string;
  readonly class: ComponentClass;
  readonly verify?: (JsonObject & { readonly kind: VerificationKind }) | undefined;
  readonly depends_on?: readonly string[];
  readonly sites?: readonly string[];
}

/** `holdfast.dev/depends-on`, `holdfast_depends_on` → `depends-on`; undefined for keys of others. */
export function markWord(key: string): string | undefined {
  const found = /^(?:holdfast\.dev\/|holdfast[-_])(.+)$/.exec(key);
  return found?.[1]?.replaceAll("_", "-");
}

/** Marks of labels, by their word. `container` reads those of `<container>.holdfast.dev/…` instead. */
export function marksOf(
  labels: Iterable<{ readonly key: string; readonly value: JsonValue; readonly place: Place }>,
  container?: string,
): Marks {
  const marks = new Map<string, Mark>();
  for (const { key, value, place } of labels) {
    const own = container === undefined ? key : withoutContainer(key, container);
    const word = own === undefined ? undefined : markWord(own);
    if (word !== undefined) marks.set(word, { value, place });
  }
  return marks;
}

function withoutContainer(key: string, container: string): string | undefined {
  return key.startsWith(`${container}.`) ? key.slice(container.length + 1) : undefined;
}

export function readMarks(marks: Marks): ReadMarks {
  const diagnostics: ReturnType<typeof diagnosticAt>[] = [];
  const complain = (mark: Mark, problem: Problem): void => {
    diagnostics.push(diagnosticAt(mark.place.file, mark.place, problem));
  };
  for (const [word, mark] of marks) {
    if (markWords.some((known) => known === word)) continue;
    const nearest = nearestWord(word, markWords);
    complain(mark, { code: "mark", message: `there is no mark holdfast.dev/${word}`, nearest });
  }
  const text = (word: MarkWord): string | undefined => {
    const value = marks.get(word)?.value;
    return value === undefined || value === null || typeof value === "object"
      ? undefined
      : String(value);
  };
  const said = text("class");
  const known = componentClasses.find((each) => each === said?.replaceAll("-", "_"));
  const mark = marks.get("class");
  if (mark && known === undefined && said !== "none") {
    const nearest = nearestWord(String(said), [...componentClasses, "none"]);
    const message = `holdfast.dev/class: expected one of ${componentClasses.join(", ")}, none`;
    complain(mark, { code: "mark", message, nearest });
  }
  return {
    ...(known && { class: known }),
    setAside: said === "none",
    diagnostics,
    text,
    component: (derived) => componentOf(marks, derived, known, text, complain),
  };
}

function componentOf(
  marks: Marks,
  derived: Derived,
  marked: ComponentClass | undefined,
  text: (word: MarkWord) => string | undefined,
  complain: (mark: Mark, problem: Problem) => void,
): DraftComponent {
  const verify = marks.get("verify");
  const given = verify && objectOf(verify);
  if (verify && given === undefined)
    complain(verify, {
      code: "mark",
      message: "holdfast.dev/verify: give a verification as YAML or JSON",
    });
  const verification = given ?? derived.verify;
  const latency = text("latency-ms-max");
  const action = marks.get("on-failure")?.value;
  const dependsOn = listOf(marks, "depends-on");
  const sites = listOf(marks, "sites");
  return {
    name: nameOf(text("name") ?? derived.name),
    class: marked ?? derived.class,
    ...(verification && { verify: verification }),
    ...(latency !== undefined && { latency_ms_max: Number(latency) }),
    ...(action !== undefined && { on_failure: actionOf(action) }),
    depends_on: dependsOn.length > 0 ? dependsOn : (derived.depends_on ?? []).map(nameOf),
    sites: sites.length > 0 ? sites : (derived.sites ?? []),
    controls: listOf(marks, "controls"),
    covers: listOf(marks, "covers"),
  };
}

/** As names of components are: lower-case letters, digits, hyphens and underscores, up to 63. */
export function nameOf(text: string): string {
  const name = text.toLowerCase().replace(/[^a-z0-9_-]+/g, "-");
  return name.replace(/^[^a-z0-9]+/, "").slice(0, 63) || "unnamed";
}

/** `degrade:reads_only` → `{ degrade: reads_only }` */
function actionOf(text: JsonValue): JsonValue {
  if (typeof text !== "string") return text;
  const [word, tier] = text.split(/[:/]\s*/);
  return word === "degrade" && tier !== undefined ? { degrade: tier } : text;
}

/** A list, or a text with commas, semicolons or spaces between. */
function listOf(marks: Marks, word: MarkWord): readonly string[] {
  const value = marks.get(word)?.value;
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? value.split(/[,;\s]+/).filter((each) => each !== "") : [];
}

function objectOf({ value, place }: Mark): JsonObject | undefined {
  if (isJsonObject(value)) return value;
  if (typeof value !== "string") return undefined;
  const [root] = parseForeignYaml(place.file, value).roots;
  const parsed = root && jsonOf(root);
  return isJsonObject(parsed) ? parsed : undefined;
}
