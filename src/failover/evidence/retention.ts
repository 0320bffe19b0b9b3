/**
 * How long each class of evidence is kept, and who may read it. What the lists of AG-403 say of it is not public, so these
 * defaults are ours; whoever is bound by a law sets its own. Expiry never deletes by itself: it says what may go.
 */
import { err, instantMs, instantText, ok, type Result } from "../../kernel/index.ts";

export const evidenceClasses = [
  "manifests",
  "records",
  "drills",
  "probes",
  "parity",
  "grt",
  "logs",
  "keys",
  "oscal",
  "reports",
] as const;

export type EvidenceClass = (typeof evidenceClasses)[number];

export interface ClassRule {
  readonly keep_days: number;
  /** Who may read it; a reader has one role or several. */
  readonly readers: readonly string[];
}

export type RetentionRules = Readonly<Record<EvidenceClass, ClassRule>>;

const everybody = ["operator", "auditor", "regulator"];
const sixYears: ClassRule = { keep_days: 2_192, readers: everybody };
/** Observations of probes name hosts and configuration: not for everybody outside. */
const internal: ClassRule = { keep_days: 2_192, readers: ["operator", "auditor"] };

export const retentionDefault: RetentionRules = {
  ...{ manifests: sixYears, records: sixYears, drills: internal, probes: internal },
  ...{ parity: internal, grt: sixYears, logs: internal, keys: sixYears },
  ...{ oscal: sixYears, reports: sixYears },
};

const folders: ReadonlyMap<string, EvidenceClass> = new Map<string, EvidenceClass>([
  ...evidenceClasses.map((each): [string, EvidenceClass] => [each, each]),
  ...(["parity", "grt", "probes"] as const).map((each): [string, EvidenceClass] => [
    `${each}.json`,
    each,
  ]),
]);

/** The pack's own instructions belong to everybody. */
const alwaysReadable: ReadonlySet<string> = new Set(["VERIFY.md"]);

export function isEvidenceClass(firstStep: string): boolean {
  return folders.has(firstStep) || alwaysReadable.has(firstStep);
}

export function classOf(path: string): EvidenceClass | undefined {
  return folders.get(path.split("/")[0] ?? "");
}

/** Whether a reader with these roles may have the file. What has no class is for nobody. */
export function mayRead(
  path: string,
  roles: readonly string[],
  rules: RetentionRules = retentionDefault,
): boolean {
  if (alwaysReadable.has(path)) return true;
  const found = classOf(path);
  return found !== undefined && rules[found].readers.some((role) => roles.includes(role));
}

/** When the file may go, RFC 3339; `created` the same. What cannot be dated never may. */
export function expiryOf(
  path: string,
  created: string,
  rules: RetentionRules = retentionDefault,
): Result<string, string> {
  const found = classOf(path);
  const at = instantMs(created);
  if (found === undefined) return err(`${path} has no class of evidence`);
  if (at === undefined) return err(`${path} has no time that can be read: ${created}`);
  return ok(instantText(at + rules[found].keep_days * 86_400_000));
}

/** Rules given in part, on top of the defaults. Every fault is a sentence. */
export function retentionRules(given: unknown): Result<RetentionRules, readonly string[]> {
  if (typeof given !== "object" || given === null)
    return err(["retention is an object: class to {keep_days, readers}"]);
  const faults: string[] = [];
  const rules: Record<string, ClassRule> = { ...retentionDefault };
  for (const [name, value] of Object.entries(given)) {
    const rule = ruleOf(name, (value ?? {}) as Readonly<Record<string, unknown>>);
    if (typeof rule === "string") faults.push(rule);
    else rules[name] = rule;
  }
  return faults.length > 0 ? err(faults) : ok(rules as RetentionRules);
}

/** A sentence when it is none. */
function ruleOf(name: string, value: Readonly<Record<string, unknown>>): ClassRule | string {
  if (!Object.hasOwn(retentionDefault, name))
    return `${name} is no class of evidence; they are ${evidenceClasses.join(", ")}`;
  const known = retentionDefault[name as EvidenceClass];
  const { keep_days: days = known.keep_days, readers = known.readers } = value;
  if (typeof days !== "number" || !Number.isSafeInteger(days) || days < 1)
    return `${name}.keep_days is a whole number of days, from 1`;
  if (!Array.isArray(readers) || !readers.every((role) => typeof role === "string"))
    return `${name}.readers is a list of roles`;
  return { keep_days: days, readers };
}
