/** `GET /approvals/{id}` on the gateway: an agent looks after a question of its own. */
import type { Identifier } from "../call.ts";
import { type FrontFace, jsonResponse, problemResponse } from "../http-front.ts";
import type { ApprovalStatus } from "./status.ts";

export function approvalFace(identifier: Identifier, status: ApprovalStatus): FrontFace {
  return async (request) => {
    const who = await identifier.identify(request.headers, request);
    if (!who.ok)
      return problemResponse(who.status, "Identity required", who.reason, {
        "www-authenticate": who.challenge,
      });
    if (request.method !== "GET")
      return problemResponse(405, "Method not allowed", "Approvals are answered by people.", {
        allow: "GET",
      });
    const found = await status(who.identity, request.path.split("/")[2] ?? "");
    if (found.ok) return jsonResponse(200, found.value);
    return found.error === "not_found"
      ? problemResponse(404, "No such approval", "You have asked for no approval of this id.")
      : problemResponse(503, "The store cannot be reached", "Try again in a minute.", {
          "retry-after": "5",
        });
  };
}
