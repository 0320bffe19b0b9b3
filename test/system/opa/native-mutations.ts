/** Planted faults in the native engine: each must be caught by the comparison with the twin. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { compile } from "../../../src/policy/index.ts";
import { type Mutation, plant } from "./mutations.ts";
import { withFolder } from "./opa.ts";

const mutation = (name: string, module: string, from: string | RegExp, to: string): Mutation => ({
  ...{ name, module: `${module}.ts`, from, to },
});

export const nativeMutations: readonly Mutation[] = [
  mutation("< becomes <=", "operators", "sign < 0", "sign <= 0"),
  mutation(">= becomes >", "operators", "sign >= 0", "sign > 0"),
  mutation("!= becomes ==", "operators", "sameness(false)", "sameness(true)"),
  mutation(
    "in passes over what cannot be compared",
    "operators",
    "if (same instanceof Failure) failure ??= same;",
    "",
  ),
  mutation(
    "in of a map looks at values",
    "operators",
    "Object.hasOwn(right, left)",
    "Object.values(right).includes(left)",
  ),
  mutation(
    "different types are unequal",
    "values",
    "a === b ? left === right : new Failure",
    "a === b || left !== right ? left === right : new Failure",
  ),
  mutation(
    "text is ordered by code units",
    "values",
    "codePointRank(a) - codePointRank(b)",
    "a - b",
  ),
  mutation("size counts code units", "values", "size--", "size"),
  mutation(
    "sizes are not decided first",
    "values",
    "if (left.length !== right.length) return false;",
    "",
  ),
  mutation(
    "division rounds",
    "decimal",
    "(shifted - (shifted % both.b)) / both.b",
    "Math.round(shifted / both.b)",
  ),
  mutation(
    "arithmetic in floats",
    "decimal",
    "both && number(both.a + both.b, both.places)",
    "left + right",
  ),
  mutation("decimals have no bound", "decimal", "digitsBound = 1e15", "digitsBound = 1e18"),
  mutation(
    "the remainder takes the sign of the divisor",
    "decimal",
    "(left % right) + 0",
    "((left % right) + right) % right",
  ),
  mutation(
    "a missing field is null",
    "closures",
    "?? nullOf(value, name, absent)) : absent",
    "?? null) : null",
  ),
  mutation(
    "an error wins over a decided ||",
    "closures",
    "if (b === deciding) return deciding;",
    "if (b === deciding && !(a instanceof Failure)) return deciding;",
  ),
  mutation(
    "an error in all() and exists() is passed over",
    "closures",
    "failure ?? !deciding",
    "!deciding",
  ),
  mutation("exists_one is exists", "closures", "found === 1", "found >= 1"),
  mutation(
    "an unknown test takes the second branch",
    "closures",
    "if (chosen instanceof Failure) return chosen;\n    return chosen ?",
    "return chosen === true ?",
  ),
  mutation("negation of a number is lost", "closures", "0 - value", "value"),
  mutation(
    "a negative index counts from the end",
    "closures",
    "at >= 0 ? of[at]",
    "true ? of.at(at)",
  ),
  mutation("a pattern is anchored", "regex", "compiled.test(text)", "compiled.matches(text)"),
  mutation("deny has no precedence", "combine", "deny: 5", "deny: 0.5"),
  mutation("what is unclear outranks a deny", "combine", "closedWeight = 4", "closedWeight = 6"),
  mutation("what is unclear is passed over", "combine", "closedWeight = 4", "closedWeight = 0"),
  mutation(
    "sanitize wins over approval",
    "combine",
    /sanitize: 2,\n {2}approval_needed: 3/,
    "sanitize: 3,\n  approval_needed: 2",
  ),
  mutation(
    "the mildest of the chain wins",
    "combine",
    "strictness[next.outcome] > strictness[first.outcome]",
    "strictness[next.outcome] < strictness[first.outcome]",
  ),
  mutation(
    "obligations of one rule only",
    "combine",
    "sortedUnique([...rules.keys()]).flatMap",
    "sortedUnique([...rules.keys()]).slice(0, 1).flatMap",
  ),
  mutation(
    "obligations repeat",
    "combine",
    "if (!unique.has(key)) unique.set(key, obligation)",
    "unique.set(key + unique.size, obligation)",
  ),
  mutation("the reason is of the last rule", "combine", "weight <= heaviest", "weight < heaviest"),
  mutation("the chain is not judged", "engine", "...subject.delegation.map(judge)", ""),
  mutation(
    "the nearest agent decides for the chain",
    "engine",
    "subject.id === agent ? subject",
    "subject.id ? subject",
  ),
  mutation(
    "an error is false",
    "engine",
    "if (holds === false) return undefined;",
    "if (holds !== true) return undefined;",
  ),
  mutation("on_failure is inverted", "engine", `onFailure === "open"`, `onFailure !== "open"`),
  mutation(
    "writes open at any risk",
    "engine",
    `tool?.risk === "low" && tool.openOnFailure`,
    "tool?.openOnFailure === true",
  ),
  mutation(
    "writes open like reads",
    "engine",
    `if (action.effect === "read") return`,
    "if (action.effect) return",
  ),
  mutation(
    "a failing requirement is passed over",
    "rule",
    ".every(test) ? undefined : broken",
    ".every(test) ? undefined : undefined",
  ),
  mutation(
    "a missing required value is fine",
    "rule",
    "return !requirement.required",
    "return true",
  ),
  mutation("numbers need not satisfy", "rule", "return holds(canonicalJson(value))", "return true"),
  mutation(
    "a rule for reads sees writes",
    "rule",
    "effect === undefined || effect === asked",
    "effect !== asked || true",
  ),
  mutation(
    "a star in a path is one name",
    "field-path",
    `if (name === "*") {\n    if (isJsonArray(value))`,
    `if (name === "**") {\n    if (isJsonArray(value))`,
  ),
  mutation("a star in a name ends it", "glob", "!name.endsWith(tail)", "false"),
];

const root = join(import.meta.dirname, "../../..");

/** Runs `use` with `compile` of a copy of the sources that has the fault. */
export function withMutant<T>(mutant: Mutation, use: (compiler: typeof compile) => T): Promise<T> {
  return withFolder(async (folder) => {
    mkdirSync(join(folder, "src"));
    for (const room of ["kernel", "model", "policy"])
      cpSync(join(root, "src", room), join(folder, "src", room), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
    const path = join(folder, "src/policy", mutant.module);
    writeFileSync(path, plant(mutant)(path, readFileSync(path, "utf8")));
    const made: { compile: typeof compile } = await import(
      pathToFileURL(join(folder, "src/policy/engine.ts")).href
    );
    return use(made.compile);
  });
}
