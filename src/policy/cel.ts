/**
 * Conditions: CEL text to our typed form. The library parses and has the last word on what is CEL; the subset is ours
 * and closed, so every condition that loads is also valid CEL with the same meaning elsewhere.
 */
import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { isJsonArray, type JsonValue } from "../kernel/index.ts";
import { nearestWord, type Problem } from "./diagnostic.ts";
import type { ArithmeticOp, CompareOp, Expr, Root, StringTest } from "./ir.ts";
import { compileRegex } from "./regex.ts";

/** A problem inside the text: `start` counts UTF-16 code units. */
export interface ConditionProblem extends Problem {
  readonly start: number;
}

/** Where each sub-expression stands in the text, and which number literals were written with a fraction. */
export interface Marks {
  readonly starts: ReadonlyMap<Expr, number>;
  readonly fractions: ReadonlySet<Expr>;
}

export interface ParsedCondition extends Marks {
  /** Absent when the text is no condition of the subset; `problems` says why. */
  readonly expr?: Expr;
  readonly problems: readonly ConditionProblem[];
}

const roots: readonly Root[] = ["subject", "action", "resource", "args", "context", "model"];
const comparisons: readonly string[] = ["==", "!=", "<", "<=", ">", ">="];
const stringTests: readonly StringTest[] = ["startsWith", "endsWith", "contains"];
const macros = ["exists", "all", "exists_one"] as const;
type Macro = (typeof macros)[number];

/** Everything that can be called, as it is written. */
const callable: readonly string[] = ["has", "size", "matches", ...stringTests, ...macros];

const charactersMax = 4_096;
const nodesMax = 2_000;
const depthMax = 100;

/** Parses one condition. Collects every word outside the subset; a syntax error is the only one of its text. */
export function parseCondition(text: string): ParsedCondition {
  if (text.length > charactersMax) {
    const message = `the condition is over ${charactersMax} characters`;
    const problem = { code: "too-large", message, hint: "make it several rules", start: 0 };
    return { starts: new Map(), fractions: new Set(), problems: [problem] };
  }
  const conversion = new Conversion();
  const language = celLanguage();
  try {
    const expr = conversion.convert(language.parse(text).ast, []);
    const { starts, fractions, problems } = conversion;
    if (problems.length > 0 || !expr) return { starts, fractions, problems };
    const checked = language.check(text);
    if (checked.valid) return { expr, starts, fractions, problems };
    const { error } = checked;
    const message = error ? `CEL refuses this: ${error.summary}` : "CEL refuses this";
    const problem = { code: "cel-type", message, start: error?.range?.start ?? 0 };
    return { starts, fractions, problems: [problem] };
  } catch (thrown) {
    if (!(thrown instanceof ParseError)) throw thrown;
    const problem = {
      code: "cel-syntax",
      message: thrown.summary,
      start: thrown.range?.start ?? thrown.node?.pos ?? 0,
      hint: thrown.code === "invalid_escape_sequence" ? "write a pattern as r'…'" : undefined,
    };
    return { starts: new Map(), fractions: new Set(), problems: [problem] };
  }
}

function celLanguage(): Environment {
  const language = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: nodesMax, maxDepth: depthMax },
  });
  for (const root of roots) language.registerVariable(root, "dyn");
  return language;
}

type Scope = readonly string[];

class Conversion {
  readonly starts = new Map<Expr, number>();
  readonly fractions = new Set<Expr>();
  readonly problems: ConditionProblem[] = [];

  /** Undefined after a reported problem. */
  convert(node: ASTNode, scope: Scope): Expr | undefined {
    const expr = this.#shape(node, scope);
    if (expr && !this.starts.has(expr))
      this.starts.set(expr, node.op === "." ? node.pos : node.start);
    return expr;
  }

  #refuse(start: number, problem: Problem): undefined {
    this.problems.push({ ...problem, start });
    return undefined;
  }

  #shape(node: ASTNode, scope: Scope): Expr | undefined {
    switch (node.op) {
      case "value":
        return this.#literal(node.args, node.start);
      case "id":
        return this.#name(node.args, node.start, scope);
      case ".": {
        const of = this.convert(node.args[0], scope);
        return of && { op: "field", of, name: node.args[1] };
      }
      case "call":
        return this.#call(node.args[0], undefined, node.args[1], node, scope);
      case "rcall":
        return this.#call(node.args[0], node.args[1], node.args[2], node, scope);
      case "list":
        return this.#list(node.args, scope);
      case "!_": {
        const of = this.convert(node.args, scope);
        return of && { op: "not", of };
      }
      case "-_":
        return this.#negate(node.args, scope);
      case "?:": {
        const [test, yes, no] = node.args.map((part) => this.convert(part, scope));
        // biome-ignore lint/suspicious/noThenProperty: the word of the language; never awaited
        return test && yes && no && { op: "if", test, then: yes, else: no };
      }
      case "map":
        return this.#refuse(node.start, unsupported("a map literal", "compare field by field"));
      case ".?":
      case "[?]":
        return this.#refuse(node.start, unsupported("optional access", "use has()"));
      default:
        return this.#twoSided(node.op, node.args[0], node.args[1], scope);
    }
  }

  #twoSided(op: string, a: ASTNode, b: ASTNode, scope: Scope): Expr | undefined {
    const left = this.convert(a, scope);
    const right = this.convert(b, scope);
    if (!left || !right) return undefined;
    if (op === "&&") return { op: "and", left, right };
    if (op === "||") return { op: "or", left, right };
    if (op === "[]") return { op: "index", of: left, at: right };
    if (op === "in") return { op: "in", left, right };
    if (comparisons.includes(op)) return { op: "compare", how: op as CompareOp, left, right };
    return { op: "arithmetic", how: op as ArithmeticOp, left, right };
  }

  #literal(value: unknown, start: number): Expr | undefined {
    if (typeof value === "bigint") {
      const number = Number(value);
      if (Number.isSafeInteger(number)) return { op: "literal", value: number };
      return this.#refuse(start, { code: "number", message: `${value} is beyond 2^53 - 1` });
    }
    if (typeof value === "number") {
      const literal: Expr = { op: "literal", value };
      this.fractions.add(literal);
      if (!Number.isInteger(value) || Number.isSafeInteger(value)) return literal;
      return this.#refuse(start, { code: "number", message: `${value} is beyond 2^53 - 1` });
    }
    if (value === null || typeof value === "string" || typeof value === "boolean")
      return { op: "literal", value };
    return this.#refuse(start, unsupported("a bytes or unsigned literal"));
  }

  #negate(node: ASTNode, scope: Scope): Expr | undefined {
    const of = this.convert(node, scope);
    if (of?.op !== "literal" || typeof of.value !== "number") return of && { op: "negate", of };
    const literal: Expr = { op: "literal", value: 0 - of.value };
    if (this.fractions.has(of)) this.fractions.add(literal);
    return literal;
  }

  #name(name: string, start: number, scope: Scope): Expr | undefined {
    if (scope.includes(name)) return { op: "local", name };
    const root = roots.find((each) => each === name);
    if (root) return { op: "root", name: root };
    return this.#refuse(start, {
      code: "unknown-variable",
      message: `there is no variable ${name}`,
      nearest: nearestWord(name, [...scope, ...roots]),
      hint: `a condition starts from ${roots.join(", ")}`,
    });
  }

  #list(nodes: readonly ASTNode[], scope: Scope): Expr | undefined {
    const items = nodes.flatMap((node) => this.convert(node, scope) ?? []);
    if (items.length < nodes.length) return undefined;
    const values = items.map((item) => (item.op === "literal" ? item.value : undefined));
    if (values.every((value) => value !== undefined))
      return { op: "literal", value: values satisfies readonly JsonValue[] };
    return { op: "list", items };
  }

  #call(
    name: string,
    receiver: ASTNode | undefined,
    args: readonly ASTNode[],
    node: ASTNode,
    scope: Scope,
  ): Expr | undefined {
    // The name of `x.name(…)` stands after its receiver.
    const start = receiver ? node.input.indexOf(name, receiver.end) : node.start;
    const operands = receiver ? [receiver, ...args] : args;
    const [first, second, third] = operands;
    const form = `${receiver ? "." : ""}${name}/${args.length}`;
    if (form === "has/1" && first) return this.#has(first, scope);
    if ((form === "size/1" || form === ".size/0") && first) {
      const of = this.convert(first, scope);
      return of && { op: "size", of };
    }
    if (form === ".matches/1" && first && second) return this.#matches(first, second, scope);
    const stringTest = stringTests.find((test) => form === `.${test}/1`);
    if (stringTest && first && second) return this.#stringTest(stringTest, first, second, scope);
    const macro = macros.find((op) => form === `.${op}/2`);
    if (macro && first && second && third) return this.#macro(macro, first, second, third, scope);
    return this.#refuse(start, callProblem(name, receiver !== undefined));
  }

  #stringTest(how: StringTest, text: ASTNode, part: ASTNode, scope: Scope): Expr | undefined {
    const of = this.convert(text, scope);
    const sought = this.convert(part, scope);
    return of && sought && { op: "string", how, of, with: sought };
  }

  #has(node: ASTNode, scope: Scope): Expr | undefined {
    if (node.op !== ".")
      return this.#refuse(node.start, {
        code: "bad-call",
        message: "has() takes a field, as in has(args.memo)",
      });
    const of = this.convert(node.args[0], scope);
    if (!of) return undefined;
    const has: Expr = { op: "has", of, name: node.args[1] };
    this.starts.set(has, node.pos);
    return has;
  }

  #matches(subject: ASTNode, pattern: ASTNode, scope: Scope): Expr | undefined {
    const of = this.convert(subject, scope);
    if (pattern.op !== "value" || typeof pattern.args !== "string")
      return this.#refuse(pattern.start, {
        code: "bad-call",
        message: "matches() takes a literal pattern, so that it can be checked now",
      });
    const compiled = compileRegex(pattern.args);
    if (!compiled.ok)
      return this.#refuse(pattern.start, {
        code: "bad-regex",
        message: `not an RE2 pattern: ${compiled.error}`,
      });
    return of && { op: "matches", of, pattern: pattern.args };
  }

  #macro(
    op: Macro,
    range: ASTNode,
    variable: ASTNode,
    condition: ASTNode,
    scope: Scope,
  ): Expr | undefined {
    const of = this.convert(range, scope);
    const name = variable.op === "id" ? variable.args : "";
    if (name === "" || scope.includes(name) || roots.some((root) => root === name))
      return this.#refuse(variable.start, {
        code: "bad-call",
        message: `${op}() takes a new variable, as in args.items.${op}(item, item.price > 10)`,
      });
    const body = this.convert(condition, [...scope, name]);
    return of && body && { op, of, name, body };
  }
}

function unsupported(what: string, hint?: string): Problem {
  return { code: "not-in-subset", message: `${what} is not part of the policy language`, hint };
}

function callProblem(name: string, method: boolean): Problem {
  if (!callable.includes(name))
    return {
      code: "unknown-function",
      message: `there is no function ${name}()`,
      nearest: nearestWord(name, callable),
      hint: `there are ${callable.map((each) => `${each}()`).join(", ")}`,
    };
  const use: Readonly<Record<string, string>> = {
    has: "has(args.memo)",
    size: "size(args.items)",
    matches: "args.iban.matches('^[A-Z]{2}')",
    exists: "args.items.exists(item, item.price > 10)",
    all: "args.items.all(item, item.price > 10)",
    exists_one: "args.items.exists_one(item, item.main)",
  };
  const example = use[name] ?? `args.path.${name}('/tmp/')`;
  return {
    code: "bad-call",
    message: `${name}() is not used ${method ? "as a method " : ""}like this`,
    hint: `write ${example}`,
  };
}

/** Whether a literal is a list of values. */
export function literalItems(expr: Expr): readonly JsonValue[] | undefined {
  return expr.op === "literal" && isJsonArray(expr.value) ? expr.value : undefined;
}
