/** Reading untrusted JSON: every fault is said with its path, and what is missing is not guessed. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";

export interface ExperimentProblem {
  /** From the root inward: keys, and indexes as text. */
  readonly path: readonly string[];
  readonly message: string;
}

export class Reading {
  readonly problems: ExperimentProblem[] = [];

  report(path: readonly string[], message: string): undefined {
    this.problems.push({ path, message });
    return undefined;
  }

  object(value: JsonValue | undefined, path: readonly string[]): JsonObject | undefined {
    return isJsonObject(value) ? value : this.report(path, `${named(path)} must be an object`);
  }

  list(value: JsonValue | undefined, path: readonly string[]): readonly JsonValue[] {
    if (value === undefined) return [];
    if (isJsonArray(value)) return value;
    this.report(path, `${named(path)} must be a list`);
    return [];
  }

  text(value: JsonValue | undefined, path: readonly string[]): string {
    if (typeof value === "string" && value !== "") return value;
    this.report(path, `${named(path)} must be a text that is not empty`);
    return "";
  }

  texts(value: JsonValue | undefined, path: readonly string[]): readonly string[] {
    return this.list(value, path).map((item, i) => this.text(item, [...path, String(i)]));
  }

  /** Milliseconds from seconds; `fallback` (in seconds) where it is not given. */
  seconds(value: JsonValue | undefined, path: readonly string[], fallback: number): number {
    const seconds = value ?? fallback;
    if (typeof seconds === "number" && seconds >= 0 && seconds <= 86_400) return seconds * 1_000;
    this.report(path, `${named(path)} must be seconds, from 0 to 86,400`);
    return fallback * 1_000;
  }

  flag(value: JsonValue | undefined, path: readonly string[], fallback: boolean): boolean {
    if (value === undefined) return fallback;
    if (typeof value === "boolean") return value;
    this.report(path, `${named(path)} must be true or false`);
    return fallback;
  }

  /** Words we do not know are refused: a mistyped one would be a check that never runs. */
  only(value: JsonObject, path: readonly string[], known: readonly string[]): void {
    for (const key of Object.keys(value))
      if (!known.includes(key))
        this.report([...path, key], `unknown field "${key}"; known here: ${known.join(", ")}`);
  }
}

function named(path: readonly string[]): string {
  return path.length === 0 ? "the experiment" : path.join(".");
}
