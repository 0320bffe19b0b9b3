/** Users' own Rego on the command line: what a folder holds of it, and its answers to requests. */
import { type RegoArchive, RegoThreads, readRegoBundles } from "../adapters/rego/index.ts";
import { canonicalJson, type JsonObject } from "../kernel/index.ts";
import {
  type CaseAnswers,
  compile,
  type PolicyRequest,
  type PolicySet,
  RegoAnswers,
  type RegoBundles,
  type RegoModules,
} from "../policy/index.ts";

/** Every bundle of the folder, looked into. */
export async function regoBundlesOf(archives: readonly RegoArchive[]): Promise<RegoBundles> {
  if (archives.length === 0) return new Map();
  const threads = new RegoThreads({ threads: 1 });
  try {
    return await readRegoBundles(archives, threads);
  } finally {
    await threads.close();
  }
}

/** The answers to these requests, asked one after the other within the limits that the gateway would keep. */
export async function answersTo(
  set: PolicySet,
  modules: RegoModules,
  requests: readonly PolicyRequest[],
): Promise<CaseAnswers> {
  const engine = compile(set, "asked");
  const known = new Map<string, RegoAnswers>();
  const keyOf = (request: PolicyRequest): string => canonicalJson(request as unknown as JsonObject);
  if (!engine.asksRego) return () => undefined;
  const threads = new RegoThreads({ threads: 1 });
  try {
    // One that cannot be loaded is told with the answer that is then missing.
    await threads.load(modules);
    for (const request of requests) {
      const answers = new RegoAnswers();
      for (const question of engine.regoQuestions(request)) {
        const answer = await threads.ask(question);
        answers.add(question, answer.ok ? answer.value : { why: answer.error });
      }
      known.set(keyOf(request), answers);
    }
  } finally {
    await threads.close();
  }
  return (request) => known.get(keyOf(request));
}
