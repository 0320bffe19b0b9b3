/** Policy tests as data: a request, and the verdict it must get. */
import { canonicalJson, isJsonObject, type JsonObject, type ToolId } from "../kernel/index.ts";
import type { ModelFacts, PolicyRequest } from "./decision.ts";
import {
  type Decoder,
  json,
  list,
  oneOf,
  oneOrMore,
  optional,
  placed,
  type Report,
  required,
  struct,
  text,
} from "./decode.ts";
import { type Diagnostic, diagnosticAt, type Position } from "./diagnostic.ts";
import { compile } from "./engine.ts";
import type { Effect, Outcome, PolicySet, Risk } from "./ir.ts";
import type { PolicyFile } from "./load.ts";
import { applyObligations } from "./obligations.ts";
import type { RegoAnswers } from "./rego-answers.ts";
import type { Placed } from "./source.ts";
import { parseSource } from "./yaml.ts";

export interface CaseResult {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  /** What is not as expected, at the place of the expectation; empty when the case passed. */
  readonly failures: readonly Diagnostic[];
}

export interface CasesRun {
  readonly results: readonly CaseResult[];
  /** Faults of the case files themselves; a case that cannot be read has not passed. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Expectation {
  readonly outcome: Placed<Outcome> | undefined;
  /** Exactly the determining rules; none for the default deny. */
  readonly rule: Placed<readonly string[]> | undefined;
  readonly args: Placed<JsonObject> | undefined;
  readonly reason: Placed<string> | undefined;
}

interface PolicyCase {
  readonly name: string;
  readonly at: Position;
  readonly expect: Expectation;
  request(set: PolicySet): PolicyRequest;
}

/** What users' own Rego answered, when it was asked before. */
export type CaseAnswers = (request: PolicyRequest) => RegoAnswers | undefined;

/** The requests of all cases that can be read. */
export function caseRequests(
  set: PolicySet,
  files: readonly PolicyFile[],
): readonly PolicyRequest[] {
  return files.flatMap(({ path, text }) => {
    const { root } = parseSource(path, text);
    const cases = root ? (casesFile(root, () => undefined)?.cases ?? []) : [];
    return cases.map((each) => each.request(set));
  });
}

/** Runs every case of every file against the set. Pure. */
export function runCases(
  set: PolicySet,
  files: readonly PolicyFile[],
  answers: CaseAnswers = () => undefined,
): CasesRun {
  const diagnostics: Diagnostic[] = [];
  const engine = compile(set, "cases");
  const results = files.flatMap((file) => {
    const report: Report = (at, problem) => {
      diagnostics.push(diagnosticAt(file.path, at, problem));
    };
    const parsed = parseSource(file.path, file.text);
    diagnostics.push(...parsed.diagnostics);
    const cases = parsed.root ? (casesFile(parsed.root, report)?.cases ?? []) : [];
    return cases.map((each): CaseResult => {
      const request = each.request(set);
      const problems = differences(each, request, engine.decide(request, answers(request)));
      const failures = problems.map(({ at, message }) =>
        diagnosticAt(file.path, at, { code: "case-failed", message: `${each.name}: ${message}` }),
      );
      return { file: file.path, line: each.at.line, name: each.name, failures };
    });
  });
  return { results, diagnostics };
}

/** Reads one request, in the form that cases have (`agent`, `tool`, `args`, …), from a file of its own. */
export function readRequest(
  file: PolicyFile,
  set: PolicySet,
): { readonly request?: PolicyRequest; readonly diagnostics: readonly Diagnostic[] } {
  const parsed = parseSource(file.path, file.text);
  const diagnostics = [...parsed.diagnostics];
  const report: Report = (at, problem) => {
    diagnostics.push(diagnosticAt(file.path, at, problem));
  };
  const asked = parsed.root && request(parsed.root, report);
  if (!asked || diagnostics.length > 0) return { diagnostics };
  return { request: toRequest(asked, set), diagnostics };
}

interface Difference {
  readonly at: Position;
  readonly message: string;
}

function differences(
  { expect }: PolicyCase,
  request: PolicyRequest,
  verdict: ReturnType<ReturnType<typeof compile>["decide"]>,
): readonly Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, wanted: Placed<string> | undefined, got: string): void => {
    if (wanted && wanted.value !== got)
      found.push({ at: wanted.at, message: `${what} is ${got}, not ${wanted.value}` });
  };
  compare("outcome", expect.outcome, verdict.outcome);
  compare("reason", expect.reason, verdict.reason);
  const { rule, args } = expect;
  if (rule)
    compare(
      "deciding rule",
      { at: rule.at, value: ruleNames(rule.value) },
      ruleNames(verdict.determiningRules),
    );
  if (args) {
    const applied = applyObligations(request.args, verdict.obligations);
    const got = applied.ok ? canonicalJson(applied.value.args) : applied.error.message;
    compare("arguments", { at: args.at, value: canonicalJson(args.value) }, got);
  }
  return found;
}

function ruleNames(rules: readonly string[]): string {
  return [...rules].sort().join(", ") || "none";
}

const object: Decoder<JsonObject> = (node, report) => {
  const value = json(node, report);
  if (isJsonObject(value)) return value;
  report(node.at, { code: "wrong-type", message: "expected a map" });
  return undefined;
};

const word: Decoder<string> = (node, report) => text(node, report)?.value;

const tool: Decoder<ToolId> = (node, report) => {
  const value = word(node, report);
  if (value === undefined || value.includes(":")) return value as ToolId | undefined;
  report(node.at, { code: "bad-name", message: `${value} is not a tool id (server:tool)` });
  return undefined;
};

const request = struct("a request", {
  agent: required(word),
  tool: required(tool),
  args: optional(object),
  context: optional(object),
  model_facts: optional(object),
  model: optional(word),
  principal: optional(word),
  tenant: optional(word),
  delegation: optional(list(word)),
  properties: optional(object),
  effect: optional(oneOf("read", "write")),
  risk: optional(oneOf("low", "high", "critical")),
  resource: optional(
    struct("a resource", {
      type: required(word),
      id: required(word),
      properties: optional(object),
    }),
  ),
});

const expectation = struct("expect", {
  outcome: required(placed(oneOf("allow", "deny", "sanitize", "approval_needed"))),
  rule: optional(placed(ruleList)),
  args: optional(placed(object)),
  reason: optional(placed(word)),
});

function ruleList(...[node, report]: Parameters<Decoder<string>>): readonly string[] | undefined {
  return node.kind === "list" ? list(word)(node, report) : oneOrMore(word)(node, report);
}

const sourceCase = struct("a case", {
  name: required(word),
  request: required(request),
  expect: required(expectation),
});

const casesFile = struct("a case file", {
  cases: required(
    list<PolicyCase>((node, report) => {
      const read = sourceCase(node, report);
      if (!read?.request?.agent || !read.request.tool || !read.expect) return undefined;
      const asked = read.request;
      return {
        name: read.name ?? "",
        at: read.at,
        expect: read.expect,
        request: (set) => toRequest(asked, set),
      };
    }),
  ),
});

/** Effect and risk are those of the catalog, and write and high for a tool it does not know, as at the gateway. */
function toRequest(asked: NonNullable<ReturnType<typeof request>>, set: PolicySet): PolicyRequest {
  const { agent = "", tool: name = ":", model, principal, tenant, resource } = asked;
  const { model_facts: facts } = asked;
  const declared = set.tools.find(({ id }) => id === name);
  const effect: Effect = asked.effect ?? declared?.effect ?? "write";
  const risk: Risk = asked.risk ?? declared?.risk ?? "high";
  return {
    subject: {
      type: "agent",
      id: agent,
      ...(model === undefined ? {} : { model }),
      ...(principal === undefined ? {} : { principal }),
      ...(tenant === undefined ? {} : { tenant }),
      delegation: asked.delegation ?? [],
      properties: asked.properties ?? {},
    },
    action: { name, effect, risk, properties: {} },
    resource: {
      type: resource?.type ?? "tool",
      id: resource?.id ?? name,
      properties: resource?.properties ?? {},
    },
    args: asked.args ?? {},
    context: asked.context ?? {},
    ...(facts === undefined ? {} : { model: facts as unknown as ModelFacts }),
  };
}
