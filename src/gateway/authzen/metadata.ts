/** Section 9: what this decision point is called and what it serves. Nothing is named that is not served. */
import { type FrontResponse, jsonResponse } from "../http-front.ts";
import { replaceArguments } from "./subject.ts";

export const evaluationPath = "/access/v1/evaluation";
export const evaluationsPath = "/access/v1/evaluations";
export const searchPath = "/access/v1/search";
const wellKnownPath = "/.well-known/authzen-configuration";

/** 9.2: the well-known part stands between the host and the path of the decision point's own name. */
export function metadataPath(publicUrl: string): string {
  return wellKnownPath + new URL(publicUrl).pathname.replace(/\/$/, "");
}

export function metadata(publicUrl: string): FrontResponse {
  const base = publicUrl.replace(/\/$/, "");
  return jsonResponse(200, {
    policy_decision_point: base,
    access_evaluation_endpoint: base + evaluationPath,
    access_evaluations_endpoint: base + evaluationsPath,
    search_subject_endpoint: `${base}${searchPath}/subject`,
    search_resource_endpoint: `${base}${searchPath}/resource`,
    search_action_endpoint: `${base}${searchPath}/action`,
    // Obligations profile, draft 1.
    obligations_supported: [replaceArguments],
  });
}
