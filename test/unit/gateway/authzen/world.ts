/** The AuthZEN face over a spine, asked as an enforcement point unless told otherwise. */
import { type AuthZen, authZen } from "../../../../src/gateway/authzen/index.ts";
import type { Spine } from "../../../../src/gateway/call.ts";
import { Directory } from "../../../../src/gateway/directory.ts";
import type { EnforcementPoint } from "../../../../src/gateway/enforcement-point.ts";
import type { FrontFace, FrontResponse } from "../../../../src/gateway/http-front.ts";
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { realClock } from "../../../fixtures/fake-spine.ts";
import { bodyJson, frontRequest, identifier } from "../fake-spine.ts";

export const pep: EnforcementPoint = {
  agent: "pep",
  tenant: "acme",
  obligations: ["replace_arguments"],
};

export interface AuthZenWorld<S extends Spine> {
  readonly spine: S;
  readonly face: FrontFace;
  post(
    path: string,
    body: JsonObject | string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<FrontResponse & { readonly json: Record<string, unknown> }>;
}

export function authZenWorld<S extends Spine>(
  spine: S,
  parts: Partial<AuthZen> = {},
): AuthZenWorld<S> {
  const face = authZen({
    spine,
    identifier,
    clock: realClock,
    directory: new Directory(),
    publicUrl: "https://gate.test/",
    enforcementPoints: [pep],
    bodyBytesMax: 1024 * 1024,
    depthMax: 64,
    evaluationsMax: 100,
    evaluationsAtOnceMax: 16,
    searchResultsMax: 100,
    searchCandidatesMax: 1000,
    searchTimeMsMax: 1000,
    ...parts,
  });
  const post: AuthZenWorld<S>["post"] = async (path, body, headers = {}) => {
    const request = frontRequest("POST", `/access/v1/${path}`, body, {
      authorization: "Bearer pep",
      ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
      ...headers,
    });
    const answer = await face(request);
    return { ...answer, json: await bodyJson(answer.body) };
  };
  return { spine, face, post };
}
