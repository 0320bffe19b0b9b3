/**
 * AuthZEN Authorization API 1.0: the published decisions of the interop events, put to a real gateway over HTTP. The
 * policies, subjects and resources that the events describe are those of `examples/authzen/`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type DecisionPoint, startDecisionPoint } from "../../test/fixtures/decision-point.ts";
import { type Case, failed, passed, type VectorSet } from "./case.ts";

interface Decided {
  readonly evaluation: readonly { readonly request: unknown; readonly expected: boolean }[];
  readonly evaluations?: readonly {
    readonly request: unknown;
    readonly expected: readonly { readonly decision: boolean }[];
  }[];
}

interface Found {
  readonly evaluation: readonly {
    readonly request: unknown;
    readonly expected: { readonly results: readonly unknown[] };
  }[];
}

export async function withDecisionPoint<T>(
  example: string,
  use: (point: DecisionPoint) => Promise<T>,
): Promise<T> {
  const point = await startDecisionPoint(example);
  try {
    return await use(point);
  } finally {
    await point.close();
  }
}

/** Every file is there, or the set fails. */
export const authzenInterop: VectorSet = {
  name: "authzen-interop",
  path: "authzen",
  source: "the interop events of github.com/openid/authzen: Todo, API gateways, search demo",
  run: (path) =>
    withDecisionPoint("interop", async (point) => {
      const cases: Case[] = [];
      for (const file of ["todo-decisions", "gateway-decisions"])
        cases.push(...(await decisions(point, file, read(path, file))));
      for (const kind of ["subject", "resource", "action"])
        cases.push(...(await searches(point, kind, read(path, `search-${kind}`))));
      return cases;
    }),
};

async function decisions(
  { post }: DecisionPoint,
  file: string,
  { evaluation, evaluations = [] }: Decided,
): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const [at, { request, expected }] of evaluation.entries()) {
    const { status, body } = await post("/access/v1/evaluation", request);
    cases.push(compare(`${file} ${at}`, [200, expected], [status, body["decision"]]));
  }
  for (const [at, { request, expected }] of evaluations.entries()) {
    const { status, body } = await post("/access/v1/evaluations", request);
    const answers = body["evaluations"] as readonly Record<string, unknown>[] | undefined;
    const given = answers?.map(({ decision }) => ({ decision }));
    cases.push(compare(`${file} batch ${at}`, [200, expected], [status, given]));
  }
  return cases;
}

async function searches(
  { post }: DecisionPoint,
  kind: string,
  { evaluation }: Found,
): Promise<readonly Case[]> {
  const cases: Case[] = [];
  for (const [at, { request, expected }] of evaluation.entries()) {
    const { status, body } = await post(`/access/v1/search/${kind}`, request);
    const given = [status, inOneOrder(body["results"])];
    cases.push(compare(`search-${kind} ${at}`, [200, inOneOrder(expected.results)], given));
  }
  return cases;
}

/** No order of results is prescribed. */
function inOneOrder(results: unknown): readonly string[] {
  return Array.isArray(results) ? results.map((each) => JSON.stringify(each)).sort() : [];
}

function read<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, `${file}.json`), "utf8")) as T;
}

function compare(id: string, expected: unknown, given: unknown): Case {
  const [want, got] = [JSON.stringify(expected), JSON.stringify(given)];
  return want === got ? passed(id) : failed(id, `gave ${got} and not ${want}`);
}
