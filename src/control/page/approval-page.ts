/**
 * The approval page: plain HTML forms, without script. A GET shows; only a POST with the session's own form token decides,
 * because mail scanners and previews follow links.
 */
import { timingSafeEqual } from "node:crypto";
import type { Approval } from "../../approvals/index.ts";
import { sha256 } from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";
import type { ApprovalDesk, Approvers, DeskRefusal, KnownApprover } from "../approvals/index.ts";
import { headerIn, textAnswer, type WebRequest, type WebResponse } from "../web.ts";
import { approvalTitle, approvalView, type Looking } from "./approval-view.ts";
import { carryOut, type FormRefusal, type SentForm } from "./forms.ts";
import { html, shown } from "./html.ts";
import { notePage, pageAnswer, pageHeaders, type Visitor } from "./layout.ts";
import { listTitle, listView } from "./list-view.ts";
import type { Session } from "./sessions.ts";
import {
  beginSignIn,
  endSignIn,
  redirect,
  type SignInParts,
  sessionCookie,
  signedOutPage,
  signInPath,
  signOut,
} from "./sign-in-pages.ts";
import { style } from "./style.ts";

export interface ApprovalPageParts extends SignInParts {
  readonly desk: ApprovalDesk;
  readonly approvers: Approvers;
  readonly clock: Clock;
}

const listedMax = 50;
const formBytesMax = 32 * 1024;

/** `/approvals/apr-…`, and what a form does to it. */
const approvalPath = /^\/approvals\/(apr-[\w-]{1,64})(\/revoke|\/edit)?$/;

export class ApprovalPage {
  readonly #parts: ApprovalPageParts;

  constructor(parts: ApprovalPageParts) {
    this.#parts = parts;
  }

  /** The answer to anything below `/approvals`. */
  async answer(request: WebRequest): Promise<WebResponse> {
    const { method, path } = request;
    if (method === "GET" || method === "HEAD") return await this.#get(request);
    if (method === "POST" && (path === "/approvals/sign-out" || approvalPath.test(path)))
      return await this.#post(request);
    return notePage(405, "Not possible", html`<p>There is nothing to ${method} here.</p>`);
  }

  async #get(request: WebRequest): Promise<WebResponse> {
    const { path, query } = request;
    if (path === "/approvals/style.css") return styleAnswer;
    if (path === "/approvals/sign-in") return await beginSignIn(this.#parts, query);
    if (path === "/approvals/signed-in") return await endSignIn(this.#parts, request);
    if (path === "/approvals/signed-out") return signedOutPage();
    const id = approvalPath.exec(path)?.[1];
    if (path !== "/approvals" && path !== "/approvals/" && id === undefined)
      return notePage(
        404,
        "Not found",
        html`<p>There is no such page. <a href="/approvals">All approvals</a></p>`,
      );
    const session = this.#sessionOf(request);
    // Also after a form's own address: what is shown there is the approval.
    if (session === undefined)
      return redirect(signInPath(id === undefined ? "/approvals" : `/approvals/${id}`));
    const approver = this.#parts.approvers.bySignedIn(session.person);
    if (approver === undefined) return strangerPage(session);
    return id === undefined
      ? await this.#list(approver, session)
      : await this.#show(id, approver, session);
  }

  async #list(approver: KnownApprover, session: Session): Promise<WebResponse> {
    const { desk, clock } = this.#parts;
    const [pending, granted] = [
      await desk.list(["pending"], listedMax),
      await desk.list(["granted"], listedMax),
    ];
    const visitor = visitorOf(session, approver);
    if (!pending.ok || !granted.ok) return storePage(visitor);
    const listed = {
      pending: pending.value.approvals,
      granted: granted.value.approvals,
      isMore: pending.value.next !== undefined,
    };
    const main = listView(listed, approver, clock.wallMs());
    return pageAnswer({ title: listTitle(listed), visitor, main });
  }

  async #show(id: string, approver: KnownApprover, session: Session): Promise<WebResponse> {
    const found = await this.#parts.desk.find(id);
    const visitor = visitorOf(session, approver);
    if (!found.ok) return refusedPage(found.error, visitor);
    return this.#approval(found.value, approver, session);
  }

  #approval(
    approval: Approval,
    approver: KnownApprover,
    session: Session,
    how: Pick<Looking, "notice" | "reason" | "args"> & { readonly status?: number } = {},
  ): WebResponse {
    const { status, ...said } = how;
    const { formToken } = session;
    const nowMs = this.#parts.clock.wallMs();
    return pageAnswer({
      ...(status === undefined ? {} : { status }),
      title: approvalTitle(approval),
      visitor: visitorOf(session, approver),
      main: approvalView(approval, { approver, formToken, nowMs, ...said }),
    });
  }

  async #post(request: WebRequest): Promise<WebResponse> {
    const form = formOf(request);
    if (form === undefined)
      return notePage(
        400,
        "Not a form",
        html`<p>Nothing was decided: this is not what the forms of this page send.</p>`,
      );
    const session = this.#sessionOf(request);
    const [, id, deed] = approvalPath.exec(request.path) ?? [];
    const back = id === undefined ? "/approvals" : `/approvals/${id}`;
    if (session === undefined) return endedPage(back, form.get("reason"));
    if (!isSame(form.get("form_token") ?? "", session.formToken))
      return notePage(
        403,
        "Nothing was decided",
        html`<p>The form came from another session, or from somewhere else. <a href="${back}">Look at it again</a></p>`,
      );
    if (id === undefined) return signOut(this.#parts, request);
    const approver = this.#parts.approvers.bySignedIn(session.person);
    if (approver === undefined) return strangerPage(session);
    return await this.#decide({ id, deed, form }, approver, session);
  }

  async #decide(sent: SentForm, approver: KnownApprover, session: Session): Promise<WebResponse> {
    const { id, form } = sent;
    const done = await carryOut(this.#parts.desk, sent, approver);
    if (done.ok) return redirect(`/approvals/${done.value}`);
    const { now, detail, kind } = done.error;
    if (now === undefined)
      return kind === "not_understood"
        ? notePage(
            400,
            "Nothing was decided",
            html`<p>${detail}. <a href="/approvals/${id}">Look at it again</a></p>`,
          )
        : refusedPage({ kind, detail }, visitorOf(session, approver));
    const args = form.get("args");
    return this.#approval(now, approver, session, {
      ...{ status: statusOf(kind), notice: `Your answer was not taken: ${detail}.` },
      reason: form.get("reason") ?? "",
      ...(args === null ? {} : { args }),
    });
  }

  #sessionOf(request: WebRequest): Session | undefined {
    const { sessions, cookies } = this.#parts;
    return sessions.find(cookies.read(request, sessionCookie));
  }
}

const styleAnswer = textAnswer(200, "text/css; charset=utf-8", style, {
  ...pageHeaders,
  "cache-control": "max-age=300",
});

function visitorOf({ person, formToken }: Session, approver?: KnownApprover): Visitor {
  return { name: approver?.name ?? person.email ?? person.subject, formToken };
}

/** Digests are of one length, so that comparing tells nothing of how much was right. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected));
}

/** Browsers send forms as text they have encoded themselves; anything else is no form of this page. */
function formOf(request: WebRequest): URLSearchParams | undefined {
  const type = headerIn(request, "content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return undefined;
  if (request.body.length > formBytesMax) return undefined;
  return new URLSearchParams(Buffer.from(request.body).toString("utf8"));
}

function strangerPage(session: Session): WebResponse {
  const { subject, email, emailVerified, issuer } = session.person;
  const address =
    email === undefined
      ? html`Your provider tells no address of you.`
      : html`Your address is <code>${shown(email)}</code>${emailVerified ? "." : ", which your provider has not verified: it does not count."}`;
  return notePage(
    403,
    "You are no approver here",
    html`<p>You are signed in at <code>${issuer}</code> as <code>${shown(subject)}</code>. ${address}</p>
<p>Whoever runs Holdfast can add you in <code>holdfast.yaml</code>, and restart the control process:</p>
<pre>approvals:
  approvers:
    - { id: …, groups: […], oidc: { subject: ${shown(JSON.stringify(subject))} } }</pre>`,
    visitorOf(session),
  );
}

/** What was typed is not lost: it can be copied. */
function endedPage(back: string, reason: string | null): WebResponse {
  const typed =
    reason === null || reason === ""
      ? undefined
      : html`<p>You had written:</p><pre>${shown(reason)}</pre>`;
  return notePage(
    401,
    "Your session has ended",
    html`<p>Nothing was decided. <a href="${signInPath(back)}">Sign in</a> and answer again.</p>${typed}`,
  );
}

function refusedPage(refusal: DeskRefusal, visitor: Visitor): WebResponse {
  return refusal.kind === "store"
    ? storePage(visitor)
    : notePage(
        statusOf(refusal.kind),
        "Not found",
        html`<p>${shown(refusal.detail)}. <a href="/approvals">All approvals</a></p>`,
        visitor,
      );
}

function storePage(visitor: Visitor): WebResponse {
  return notePage(
    503,
    "The store cannot be reached",
    html`<p>Approvals can be neither shown nor answered until it is back. If you had just answered, look again before you answer once more.</p>`,
    visitor,
  );
}

function statusOf(kind: FormRefusal["kind"]): number {
  if (kind === "not_found") return 404;
  if (kind === "own_request" || kind === "not_asked") return 403;
  return unfit.has(kind) ? 422 : 409;
}

const unfit: ReadonlySet<FormRefusal["kind"]> = new Set([
  "reason_missing",
  "same_arguments",
  "not_all_shown",
  "not_understood",
] as const);
