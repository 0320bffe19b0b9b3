/** Asks the guard of this site, for the commands of people and of hooks. */
import { undiciTransport } from "../../adapters/http/index.ts";
import { askGuard, type GuardAnswer } from "../../control/index.ts";
import { err, isJsonObject, type JsonObject, type Result } from "../../kernel/index.ts";
import type { FailoverConfig } from "../config-types.ts";

export type GuardOf = Pick<FailoverConfig, "guard_url"> & Partial<Pick<FailoverConfig, "token">>;

/** On a connection of its own. The error is a sentence with what to do. */
export async function askOnce(
  { guard_url: url, token }: GuardOf,
  path: string,
  question?: JsonObject,
  timeoutMs = 5_000,
): Promise<Result<GuardAnswer, string>> {
  const http = undiciTransport({ addresses: "not_metadata" });
  const bearer = token === undefined ? {} : { token: token.reveal() };
  try {
    const answer = await askGuard(http, { url, ...bearer, timeoutMs }, path, question);
    return answer.ok
      ? answer
      : err(`${answer.error}; is \`holdfast failover guard\` running there?`);
  } finally {
    await http.close();
  }
}

/** Why a gate is closed, one line each. */
export function failingLines(body: JsonObject): readonly string[] {
  const { failing } = body;
  return (Array.isArray(failing) ? failing : []).map((each) =>
    isJsonObject(each)
      ? `  ${String(each["component"])}: ${String(each["verdict"])}: ${String(each["because"])}`
      : "",
  );
}
