/** What `kubectl get` and `kubectl describe` print, as rows and trees. Only layout is known here, no kind of object. */

/** Rows of `kubectl get -o wide`: columns begin where the words of the header begin. */
export function tableRows(text: string): readonly Readonly<Record<string, string>>[] {
  const [header = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const columns = [...header.matchAll(/\S+(?: \S+)*/g)].map((m) => ({ name: m[0], at: m.index }));
  return lines.map((line) =>
    Object.fromEntries(
      columns.map(({ name, at }, i) => [name, line.slice(at, columns[i + 1]?.at).trim()]),
    ),
  );
}

/** One `Key: value` of `kubectl describe`, with the deeper indented lines below it. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** The lines below, indentation kept. */
  readonly lines: readonly string[];
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** The entries of the least indentation in the lines; a line that is no `Key:` belongs to the entry above. */
export function entriesOf(lines: readonly string[]): readonly Entry[] {
  const filled = lines.filter((line) => line.trim() !== "");
  const depth = Math.min(...filled.map(indentOf));
  const entries: { key: string; value: string; lines: string[] }[] = [];
  for (const line of filled) {
    const match = indentOf(line) === depth ? /^\s*([^\s:][^:]*):(?:\s+(.*))?$/.exec(line) : null;
    if (match === null) entries.at(-1)?.lines.push(line);
    else entries.push({ key: match[1] ?? "", value: (match[2] ?? "").trim(), lines: [] });
  }
  return entries;
}

export class Description {
  readonly #entries: readonly Entry[];

  constructor(lines: readonly string[] | string) {
    this.#entries = entriesOf(typeof lines === "string" ? lines.split("\n") : lines);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  entry(key: string): Entry | undefined {
    return this.#entries.find((entry) => entry.key === key);
  }

  /** "" when absent, `<none>` or `<unset>`. */
  value(key: string): string {
    const value = this.entry(key)?.value ?? "";
    return /^<(?:none|unset|nil)>$/.test(value) ? "" : value;
  }

  below(key: string): Description {
    return new Description(this.entry(key)?.lines ?? []);
  }

  /** Every value of a key that repeats, in order. */
  values(key: string): readonly string[] {
    return this.#entries.filter((entry) => entry.key === key).map(({ value }) => value);
  }

  /** A value that goes on in the lines below (labels, taints, tolerations), one item a line. */
  items(key: string): readonly string[] {
    const entry = this.entry(key);
    if (entry === undefined) return [];
    return [entry.value, ...entry.lines.map((line) => line.trim())].filter(
      (item) => item !== "" && item !== "<none>",
    );
  }

  /** The lines below as a table (`Conditions:`, `Events:`). */
  table(key: string): readonly Readonly<Record<string, string>>[] {
    const lines = this.entry(key)?.lines ?? [];
    return tableRows(lines.filter((line) => !/^[\s-]+$/.test(line)).join("\n"));
  }
}

/** `a=b,c=d`, or one of it a line, as an object. */
export function labelsOf(items: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    items
      .flatMap((item) => item.split(","))
      .filter((item) => item.includes("="))
      .map((item) => {
        const at = item.indexOf("=");
        return [item.slice(0, at).trim(), item.slice(at + 1).trim()];
      }),
  );
}

const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** `4d12h`, `2m19s` in milliseconds. */
export function ageMs(age: string): number {
  return [...age.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ""] ?? 0),
    0,
  );
}
