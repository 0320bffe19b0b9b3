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
  "version",
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
  readonly version?: string | undefined;
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
  const verify = verificationOf(marks.get("verify"), derived, complain);
  const version = text("version") ?? derived.version;
  const latency = text("latency-ms-max");
  const action = marks.get("on-failure")?.value;
  return {
    name: nameOf(text("name") ?? derived.name),
    class: marked ?? derived.class,
    ...(verify && { verify }),
    ...(version !== undefined && { secret_version: versionNumber(version) }),
    ...(latency !== undefined && { latency_ms_max: Number(latency) }),
    ...(action !== undefined && { on_failure: actionOf(action) }),
    depends_on: listOf(marks, "depends-on", (derived.depends_on ?? []).map(nameOf)),
    sites: listOf(marks, "sites", derived.sites),
    controls: listOf(marks, "controls"),
    covers: listOf(marks, "covers"),
  };
}

function verificationOf(
  mark: Mark | undefined,
  derived: Derived,
  complain: (mark: Mark, problem: Problem) => void,
): JsonObject | undefined {
  const given = mark && objectOf(mark);
  if (mark === undefined || given !== undefined) return given ?? derived.verify;
  const message = "holdfast.dev/verify: give a verification as YAML or JSON";
  complain(mark, { code: "mark", message });
  return undefined;
}

/** Secret stores that count their versions answer numbers. */
function versionNumber(version: string): string | number {
  return /^\d{1,15}$/.test(version) ? Number(version) : version;
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
function listOf(marks: Marks, word: MarkWord, usual: readonly string[] = []): readonly string[] {
  const value = marks.get(word)?.value ?? null;
  if (value === null) return usual;
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
