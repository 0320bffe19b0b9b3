/** What the forms of an approval do. */
import type { Approval } from "../../approvals/index.ts";
import { err, isJsonObject, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import type { ApprovalDesk, DeskRefusal, KnownApprover } from "../approvals/index.ts";

export interface SentForm {
  readonly id: string;
  /** `/revoke`, `/edit`; none for an answer. */
  readonly deed: string | undefined;
  readonly form: URLSearchParams;
}

/** `not_understood`: no form of this page says that. */
export type FormRefusal =
  | DeskRefusal
  | { readonly kind: "not_understood"; readonly detail: string; readonly now?: Approval };

const channel = "page";

/** The id of the approval to look at now. */
export async function carryOut(
  desk: ApprovalDesk,
  { id, deed, form }: SentForm,
  approver: KnownApprover,
): Promise<Result<string, FormRefusal>> {
  const reason = form.get("reason") ?? "";
  const seen = { reason, channel, version: Number(form.get("version")) };
  if (deed === "/revoke") {
    const revoked = await desk.revoke(approver, id, seen);
    return revoked.ok ? ok(id) : revoked;
  }
  if (deed === "/edit") return await propose(desk, id, form.get("args") ?? "", approver, seen);
  const verdict = form.get("verdict");
  if (verdict !== "approve" && verdict !== "decline")
    return err({ kind: "not_understood", detail: "Say yes or no" });
  const argsDigest = form.get("args_digest") ?? "";
  const voted = await desk.vote(approver, id, { ...seen, verdict, argsDigest });
  return voted.ok ? ok(id) : voted;
}

async function propose(
  desk: ApprovalDesk,
  id: string,
  text: string,
  approver: KnownApprover,
  seen: { readonly reason: string; readonly channel: string; readonly version: number },
): Promise<Result<string, FormRefusal>> {
  // Browsers end the lines of what was typed with CR LF.
  const args = parseJsonStrict(Buffer.from(text));
  if (!args.ok || !isJsonObject(args.value)) {
    const found = await desk.find(id);
    const why = args.ok ? "they are no JSON object" : args.error.detail;
    const detail = `the arguments cannot be read: ${why}`;
    return found.ok ? err({ kind: "not_understood", detail, now: found.value }) : found;
  }
  const done = await desk.propose(approver, id, { ...seen, args: args.value });
  return done.ok ? ok(done.value.instead.id) : done;
}
