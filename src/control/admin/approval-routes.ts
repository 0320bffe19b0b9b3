/** Operations on approvals. */
import { type Approval, missing } from "../../approvals/index.ts";
import { isJsonObject, type JsonArray, type JsonObject } from "../../kernel/index.ts";
import type { ApprovalDesk, DeskRefusal, KnownApprover } from "../approvals/index.ts";
import { jsonAnswer, type Problem, type WebResponse } from "../web.ts";
import type { AdminCall, AdminRoute } from "./route.ts";
import { approvalStates, digestSchema, idSchema, reasonSchema, verdictSchema } from "./schemas.ts";

const channel = "api";
const pageMax = 100;

/** What the refusals of the desk are on the wire. */
const statuses: Readonly<Record<DeskRefusal["kind"], readonly [number, string]>> = {
  not_found: [404, "No such approval"],
  closed: [409, "Decided already"],
  expired: [409, "Expired"],
  already_voted: [409, "Answered already"],
  other_arguments: [409, "Other arguments"],
  own_request: [403, "Your own request"],
  not_asked: [403, "Not asked"],
  not_together: [422, "Answered alone"],
  same_arguments: [422, "The same arguments"],
  not_all_shown: [422, "Not all shown"],
  asked_already: [409, "Asked already"],
  reason_missing: [422, "Reason missing"],
  changed: [412, "Changed meanwhile"],
  store: [503, "Store unavailable"],
};

const voteRefusals = {
  "403": "The approver is the requester, or in none of the groups that may answer.",
  "404": "There is no such approval.",
  "409":
    "It is decided, expired or for other arguments, or this approver has answered it otherwise.",
  "422": "The reason says nothing.",
};

/** Who asks, and whether they may use the kill switch. */
export function whoAmI(mayStop: (approver: KnownApprover) => boolean): AdminRoute {
  return {
    ...{ method: "GET", path: "/v1/me", operation: "whoAmI" },
    summary: "The approver that the token proves",
    success: { status: 200, description: "The approver.", schema: "Approver" },
    refusals: {},
    answer: async ({ approver }) => {
      const { id, name, groups } = approver;
      return jsonAnswer(200, { id, name, groups, may_stop: mayStop(approver) });
    },
  };
}

export function approvalRoutes(desk: ApprovalDesk): readonly AdminRoute[] {
  return [
    listRoute(desk),
    readRoute(desk),
    voteRoute(desk),
    revokeRoute(desk),
    proposeRoute(desk),
    togetherRoute(desk),
  ];
}

function listRoute(desk: ApprovalDesk): AdminRoute {
  return {
    ...{ method: "GET", path: "/v1/approvals", operation: "listApprovals" },
    summary: "Approvals in one state, the oldest first",
    query: {
      state: { type: "string", enum: [...approvalStates], default: "pending" },
      limit: { type: "integer", minimum: 1, maximum: pageMax, default: 50 },
      after: { ...idSchema, description: "`next` of the page before." },
    },
    success: { status: 200, description: "One page.", schema: "ApprovalPage" },
    refusals: {},
    answer: async ({ query }) => {
      const { state, limit, after = "" } = query;
      const page = await desk.list([state as Approval["state"]], Number(limit), String(after));
      if (!page.ok) return problemOf(page.error);
      const { approvals, next } = page.value;
      return jsonAnswer(200, {
        approvals: approvals.map(view),
        ...(next !== undefined && { next }),
      });
    },
  };
}

function readRoute(desk: ApprovalDesk): AdminRoute {
  return {
    ...{ method: "GET", path: "/v1/approvals/{id}", operation: "readApproval" },
    summary: "One approval, as it is at this moment",
    success: {
      ...{ status: 200, description: "The approval.", schema: "Approval" },
      headers: { ETag: "The version." },
    },
    refusals: { "404": "There is no such approval; ended ones are kept for 30 days." },
    answer: async ({ path }) => {
      const found = await desk.find(path["id"] ?? "");
      return found.ok ? approvalAnswer(found.value) : problemOf(found.error);
    },
  };
}

function voteRoute(desk: ApprovalDesk): AdminRoute {
  return {
    ...{ method: "POST", path: "/v1/approvals/{id}/votes", operation: "vote" },
    summary: "Say yes or no",
    description:
      "One no ends it; the last yes that was missing grants it. Sending the same answer again changes nothing and is answered alike.",
    body: {
      type: "object",
      properties: { verdict: verdictSchema, reason: reasonSchema, args_digest: digestSchema },
      required: ["verdict", "reason"],
      additionalProperties: false,
    },
    conditional: true,
    success: {
      ...{ status: 200, description: "The approval with this answer in it.", schema: "Approval" },
      headers: { ETag: "The version." },
    },
    refusals: voteRefusals,
    answer: async ({ approver, path, body, version }) => {
      const { verdict, reason, args_digest: argsDigest } = body;
      const voted = await desk.vote(approver, path["id"] ?? "", {
        ...{ verdict: verdict as "approve" | "decline", reason: String(reason), channel },
        ...(version === undefined ? {} : { version }),
        ...(argsDigest === undefined ? {} : { argsDigest: String(argsDigest) }),
      });
      return voted.ok ? approvalAnswer(voted.value) : problemOf(voted.error);
    },
  };
}

function revokeRoute(desk: ApprovalDesk): AdminRoute {
  return {
    ...{ method: "POST", path: "/v1/approvals/{id}/revoke", operation: "revokeApproval" },
    summary: "Take back a grant that was not used yet, or end a question",
    body: {
      type: "object",
      properties: { reason: reasonSchema },
      required: ["reason"],
      additionalProperties: false,
    },
    conditional: true,
    success: {
      ...{ status: 200, description: "The approval, revoked.", schema: "Approval" },
      headers: { ETag: "The version." },
    },
    refusals: { ...voteRefusals, "409": "It is used, under way, or ended already." },
    answer: async ({ approver, path, body, version }) => {
      const revoked = await desk.revoke(approver, path["id"] ?? "", {
        reason: String(body["reason"]),
        ...(version === undefined ? {} : { version }),
      });
      return revoked.ok ? approvalAnswer(revoked.value) : problemOf(revoked.error);
    },
  };
}

function proposeRoute(desk: ApprovalDesk): AdminRoute {
  return {
    ...{ method: "POST", path: "/v1/approvals/{id}/edit", operation: "proposeArguments" },
    summary: "Decline it in favour of other arguments",
    description:
      "The agent is told which arguments would do; a new approval for exactly those has your yes, and waits for the agent's call, which policy judges like any other. Possible only where people are shown all arguments.",
    body: {
      type: "object",
      properties: {
        args: { type: "object", description: "All arguments, as the agent should send them." },
        reason: reasonSchema,
      },
      required: ["args", "reason"],
      additionalProperties: false,
    },
    conditional: true,
    success: {
      ...{ status: 200, description: "The one declined, and the one instead.", schema: "Proposed" },
    },
    refusals: {
      ...voteRefusals,
      "409": "It is decided or expired, or these arguments are asked about already.",
      "422": "Not all arguments are shown, these are the same, or the reason says nothing.",
    },
    answer: async ({ approver, path, body, version }) => {
      const { args, reason } = body;
      const done = await desk.propose(approver, path["id"] ?? "", {
        ...{ args: args as JsonObject, reason: String(reason), channel },
        ...(version === undefined ? {} : { version }),
      });
      if (!done.ok) return problemOf(done.error);
      const { declined, instead } = done.value;
      return jsonAnswer(200, { declined: view(declined), instead: view(instead) });
    },
  };
}

function togetherRoute(desk: ApprovalDesk): AdminRoute {
  return {
    ...{ method: "POST", path: "/v1/approvals/votes", operation: "voteTogether" },
    summary: "Answer several questions of low risk at once",
    description:
      "All or none. Each is named with the digest of the arguments that were looked at. Only approvals whose batch is true.",
    body: {
      type: "object",
      properties: {
        approvals: {
          type: "array",
          items: {
            type: "object",
            properties: { id: idSchema, args_digest: digestSchema },
            required: ["id", "args_digest"],
            additionalProperties: false,
          },
          ...{ minItems: 1, maxItems: 50 },
        },
        ...{ verdict: verdictSchema, reason: reasonSchema },
      },
      required: ["approvals", "verdict", "reason"],
      additionalProperties: false,
    },
    success: {
      ...{ status: 200, description: "The approvals with this answer.", schema: "Approvals" },
    },
    refusals: {
      ...voteRefusals,
      "422": "One of them is answered alone or named twice, or the reason says nothing.",
    },
    answer: (call) => answerTogether(desk, call),
  };
}

async function answerTogether(
  desk: ApprovalDesk,
  { approver, body }: AdminCall,
): Promise<WebResponse | Problem> {
  const { approvals, verdict, reason } = body;
  const named = (approvals as JsonArray).filter(isJsonObject).map((each) => ({
    ...{ id: String(each["id"]), argsDigest: String(each["args_digest"]) },
  }));
  const voted = await desk.voteTogether(approver, named, {
    ...{ verdict: verdict as "approve" | "decline", reason: String(reason), channel },
  });
  return voted.ok ? jsonAnswer(200, { approvals: voted.value.map(view) }) : problemOf(voted.error);
}

function approvalAnswer(approval: Approval): WebResponse {
  return jsonAnswer(200, view(approval), { etag: `"${approval.version}"` });
}

/** As it is stored, without what only gateways need. */
function view({ v: _form, told: _told, grant, claim, ...approval }: Approval): JsonObject {
  const shown = {
    ...approval,
    grant: grant && { at_ms: grant.at_ms, expires_ms: grant.expires_ms },
    claim: claim && { call: claim.call },
    missing: missing(approval),
  };
  return shown as unknown as JsonObject;
}

function problemOf({ kind, detail }: DeskRefusal): Problem {
  const [status, title] = statuses[kind];
  return { status, title, detail: `${detail}.`, code: kind };
}
