/** What an agent's call comes to, given the newest approval of its action (or the one its token names). */
import { canonicalJson, type JsonValue } from "../kernel/index.ts";
import type { Approval, Question, Requirement } from "./approval.ts";
import { type Asking, asked, askedAgain, claimed, presently, revoked } from "./life.ts";
import { missing } from "./quorum.ts";

export interface Ask {
  readonly question: Question;
  readonly asking: Asking;
  readonly claim: NonNullable<Approval["claim"]>;
  /** Of the override token that came with the call; without one, the newest approval of the same action is looked at. */
  readonly jti?: string;
}

export type Answer =
  /** People have not answered yet. */
  | { readonly kind: "pending"; readonly approval: Approval; readonly isNew: boolean }
  /** The grant is this call's. */
  | { readonly kind: "claimed"; readonly approval: Approval }
  | { readonly kind: "declined" | "expired"; readonly approval: Approval }
  /** Another call holds the grant at this moment. */
  | { readonly kind: "in_use"; readonly approval: Approval }
  /** The token is good for nothing (any more). */
  | { readonly kind: "override_refused"; readonly because: OverrideFault };

export type OverrideFault = "replayed" | "expired" | "revoked" | "superseded" | "unknown";

export interface Asked {
  readonly answer: Answer;
  /** Approvals as they are to be stored; empty when nothing changes. */
  readonly changed: readonly Approval[];
}

export function ask(stored: Approval | undefined, request: Ask, nowMs: number): Asked {
  const current = stored === undefined ? undefined : presently(stored, nowMs);
  if (request.jti !== undefined) return redeem(current, request, request.jti);
  if (current === undefined) return anew([], request, nowMs);
  switch (current.state) {
    case "pending":
      return stands(current, request.question)
        ? pending(askedAgain(current))
        : anew([revoked(current, policyChanged, nowMs)], request, nowMs);
    case "granted":
      return stillGranted(current, request.question)
        ? taken(current, request)
        : anew([revoked(current, policyChanged, nowMs)], request, nowMs);
    case "claimed":
      return { answer: { kind: "in_use", approval: current }, changed: [] };
    case "declined":
    case "expired":
      // Told once; who asks again after that is asking people again.
      if (current.told) return anew([], request, nowMs);
      return {
        answer: { kind: current.state, approval: current },
        changed: [{ ...current, told: true }],
      };
    case "unknown":
      return anew(
        [],
        { ...request, asking: { ...request.asking, afterUnknown: current.id } },
        nowMs,
      );
    case "used":
    case "revoked":
      return anew([], request, nowMs);
  }
}

const policyChanged = "policy changed, and asks differently now";

function anew(before: readonly Approval[], { question, asking }: Ask, nowMs: number): Asked {
  const approval = asked(question, asking, nowMs);
  return { answer: { kind: "pending", approval, isNew: true }, changed: [...before, approval] };
}

function pending(approval: Approval): Asked {
  return { answer: { kind: "pending", approval, isNew: false }, changed: [approval] };
}

function taken(approval: Approval, { claim }: Ask): Asked {
  const held = claimed(approval, claim);
  return { answer: { kind: "claimed", approval: held }, changed: [held] };
}

function redeem(current: Approval | undefined, request: Ask, jti: string): Asked {
  const refused = (because: OverrideFault): Asked => ({
    answer: { kind: "override_refused", because },
    changed: [],
  });
  if (current?.grant?.jti !== jti) return refused("unknown");
  switch (current.state) {
    case "granted":
      return stillGranted(current, request.question)
        ? taken(current, request)
        : refused("superseded");
    case "expired":
    case "revoked":
      return refused(current.state);
    default:
      return refused("replayed");
  }
}

/** What people are looking at is still what policy asks: the same rules, the same definition of the tool. */
function stands(approval: Approval, question: Question): boolean {
  return (
    sameList(approval.determining_rules, question.determining_rules) &&
    approval.definition_digest === question.definition_digest &&
    approval.effect === question.effect &&
    // Not as text: a store may give members back in another order.
    canonicalJson(asJson(approval.requirements)) === canonicalJson(asJson(question.requirements))
  );
}

/** A newer revision that asks by the same rules takes a yes that is enough for it. */
function stillGranted(approval: Approval, question: Question): boolean {
  const { requirements } = question;
  return (
    sameList(approval.determining_rules, question.determining_rules) &&
    approval.definition_digest === question.definition_digest &&
    approval.effect === question.effect &&
    missing({ requirements, votes: approval.votes }) === 0
  );
}

function asJson(requirements: readonly Requirement[]): JsonValue {
  return requirements.map(({ groups, count }) => ({ groups: [...groups], count }));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
