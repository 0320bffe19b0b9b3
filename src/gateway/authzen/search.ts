/**
 * Section 8: who may do this, on what, or what may be done. The candidates are the known ones (the directory, and the
 * catalog of tools); a result is a candidate for which an evaluation would answer `true`, found by asking that.
 */
import {
  assert,
  digestOf,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { Decision, Search, Searched, SearchRefusal, Spine } from "../call.ts";
import type { Directory } from "../directory.ts";
import { subjectName } from "../directory.ts";
import { type FrontResponse, jsonResponse } from "../http-front.ts";
import { codedProblem, refusedByMachinery } from "../refused-as.ts";
import { permissionOf } from "./evaluation.ts";
import { type PageStart, pageToken, readPageToken } from "./page-token.ts";
import { refused } from "./refused.ts";
import {
  identifiersOf,
  questionAbout,
  readSearch,
  type SearchKind,
  type SearchQuestion,
} from "./search-question.ts";
import { type Asker, asToolRequest, mayAskAbout, toolOf } from "./subject.ts";

export interface SearchParts {
  readonly spine: Spine;
  readonly directory: Directory;
  /** Results of one page; also when fewer or none are asked for. */
  readonly searchResultsMax: number;
  /** Candidates judged for one page. */
  readonly searchCandidatesMax: number;
  readonly searchTimeMsMax: number;
}

/** What the HTTP request carries besides the question. */
export interface SearchCarried {
  readonly traceparent?: string;
  readonly signal: AbortSignal;
}

export async function search(
  parts: SearchParts,
  kind: SearchKind,
  asker: Asker,
  body: JsonValue,
  carried: SearchCarried,
): Promise<FrontResponse> {
  const read = readSearch(kind, body);
  if (!read.ok) return refused({ status: 400, detail: read.error });
  const question = read.value;
  const may = maySearch(question, asker);
  if (!may.ok) return refused({ status: 403, detail: `${may.error}.` });
  const start = startOf(question);
  if (!start.ok) return refused({ status: 400, detail: start.error });
  const candidates = left(candidatesOf(parts, question, asker), start.value.after);
  const limit = Math.min(start.value.limit ?? Infinity, parts.searchResultsMax);
  const found = await parts.spine.search({
    ...carried,
    ...asSearch(question, asker, candidates),
    questionDigest: start.value.question,
    resultsMax: limit,
    candidatesMax: parts.searchCandidatesMax,
    timeMsMax: parts.searchTimeMsMax,
  });
  if (!found.ok) return unavailable(found.error);
  return jsonResponse(200, answer(found.value, candidates, start.value));
}

/** Learning who else may do something is for enforcement points; an agent learns what it may do itself. */
function maySearch({ kind, open }: SearchQuestion, asker: Asker): Result<void, string> {
  const { type, id } = open.subject;
  // An empty name is nobody's, so a search for subjects is never about oneself.
  return mayAskAbout(kind === "subject" ? "" : subjectName(type, id), asker);
}

function startOf({ kind, open, page }: SearchQuestion): Result<PageStart, string> {
  const question = digestOf({ kind, ...open });
  const begun = page.token === undefined ? ok({ question }) : readPageToken(page.token, question);
  if (!begun.ok || page.limit === undefined) return begun;
  return ok({ ...begun.value, limit: page.limit });
}

/** Ids or names, in code-unit order, each once. */
function candidatesOf(
  { spine, directory }: SearchParts,
  { kind, open }: SearchQuestion,
  { identity: { tenant } }: Asker,
): readonly string[] {
  const { subject, resource } = open;
  switch (kind) {
    case "subject":
      return directory.subjectIds(tenant, subject.type);
    case "resource": {
      const known = directory.resourceIds(tenant, resource.type);
      if (resource.type !== "tool") return known;
      return [...new Set([...known, ...spine.catalog()])].sort();
    }
    case "action":
      return actionsOf(spine.catalog(), resource);
  }
}

/** What COAZ-MCP (draft 1) calls the one action on a tool. */
const callOfTool = "tools/call";

/**
 * The actions known of a resource: tools of the catalog under its type, by the name with which an evaluation finds
 * exactly that tool.
 */
function actionsOf(
  catalog: readonly string[],
  resource: SearchQuestion["open"]["resource"],
): readonly string[] {
  const prefix = `${resource.type}:`;
  const names = catalog.flatMap((tool) => {
    if (!tool.startsWith(prefix)) return [];
    const spellings = [tool.slice(prefix.length), tool];
    return (
      spellings.find((name) => toolOf({ resource, action: { name, properties: {} } }) === tool) ??
      []
    );
  });
  if (resource.type === "tool") names.push(callOfTool);
  return [...new Set(names)].sort();
}

function left(candidates: readonly string[], after: string | undefined): readonly string[] {
  if (after === undefined) return candidates;
  return candidates.filter((candidate) => candidate > after);
}

type Asking = Pick<
  Search<string>,
  "face" | "method" | "asker" | "question" | "candidates" | "requestOf" | "resultOf"
>;

function asSearch(question: SearchQuestion, asker: Asker, candidates: readonly string[]): Asking {
  return {
    face: "authzen",
    method: `search/${question.kind}`,
    asker: asker.identity,
    question: identifiersOf(question),
    candidates,
    requestOf: (candidate) => {
      const request = asToolRequest(questionAbout(question, candidate), asker);
      assert(request.ok, "an asker that may search may ask about each candidate");
      return request.value;
    },
    resultOf: (candidate, decision) => resultOf(question, candidate, decision, asker),
  };
}

function resultOf(
  search: SearchQuestion,
  candidate: string,
  decision: Decision,
  asker: Asker,
): JsonObject | undefined {
  const question = questionAbout(search, candidate);
  const { permitted, obligations } = permissionOf(decision, question, asker);
  if (!permitted) return undefined;
  const { kind } = search;
  return {
    ...(kind === "action" ? { name: candidate } : { type: question[kind].type, id: candidate }),
    ...(obligations.length === 0 ? {} : { context: { obligations } }),
  };
}

function answer(
  found: Searched,
  candidates: readonly string[],
  start: PageStart,
): Readonly<Record<string, unknown>> {
  const { results, judged, withheld, callId, policyVersion, receipt } = found;
  const after = judged === 0 ? start.after : candidates[judged - 1];
  const next: PageStart = { ...start, ...(after === undefined ? {} : { after }) };
  return {
    results,
    page: {
      next_token: judged < candidates.length ? pageToken(next) : "",
      count: results.length,
    },
    context: {
      call_id: callId,
      policy_version: policyVersion,
      judged,
      ...(withheld === 0 ? {} : { withheld }),
      ...(receipt === undefined ? {} : { receipt }),
    },
  };
}

/** An empty list would read as «nobody may», so what could not be searched is an error. */
function unavailable({ code, callId, reason, next }: SearchRefusal): FrontResponse {
  const { status, title, retryAfter } = refusedByMachinery(code);
  const members = { detail: reason, call_id: callId, next };
  return codedProblem(
    status,
    code,
    title,
    members,
    retryAfter === undefined ? {} : { "retry-after": retryAfter },
  );
}
