/** Signing in and out: the browser goes to the provider and comes back; only then is there a session. */
import { isJsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { SignIn, SignInPending } from "../../ports.ts";
import { emptyAnswer, type WebRequest, type WebResponse } from "../web.ts";
import type { CookieJar } from "./cookies.ts";
import { html } from "./html.ts";
import { notePage, pageHeaders } from "./layout.ts";
import type { Sessions } from "./sessions.ts";

export interface SignInParts {
  readonly signIn: SignIn;
  readonly sessions: Sessions;
  readonly cookies: CookieJar;
  readonly sessionSeconds: number;
}

const pendingSeconds = 600;
const pendingCookie = "sign-in";
export const sessionCookie = "session";

/** Where somebody wanted to go; only places of this page, so that nobody is led elsewhere. */
const ownPlace = /^\/approvals(?:\/apr-[\w-]{1,64})?$/;
const startPage = "/approvals";

export function redirect(to: string, cookies: readonly string[] = []): WebResponse {
  return emptyAnswer(303, {
    ...pageHeaders,
    location: to,
    ...(cookies.length > 0 && { "set-cookie": cookies }),
  });
}

export function signInPath(to: string): string {
  return `/approvals/sign-in?to=${encodeURIComponent(to)}`;
}

/** GET /approvals/sign-in: off to the provider. */
export async function beginSignIn(
  { signIn, cookies }: SignInParts,
  query: string,
): Promise<WebResponse> {
  const wanted = new URLSearchParams(query).get("to") ?? "";
  const to = ownPlace.test(wanted) ? wanted : startPage;
  const started = await signIn.start();
  if (!started.ok)
    return notePage(503, "Sign-in is not possible now", html`<p>${started.error.detail}</p>`);
  const { url, pending } = started.value;
  const kept = Buffer.from(JSON.stringify({ ...pending, to })).toString("base64url");
  return redirect(url, [cookies.set(pendingCookie, kept, pendingSeconds)]);
}

/** GET /approvals/signed-in: back from the provider, with an answer for this browser alone. */
export async function endSignIn(
  { signIn, sessions, cookies, sessionSeconds }: SignInParts,
  request: WebRequest,
): Promise<WebResponse> {
  const kept = readPending(cookies.read(request, pendingCookie));
  if (kept === undefined)
    return notePage(
      400,
      "This sign-in was not begun here",
      html`<p>It was begun in another browser, or more than ten minutes ago. <a href="${signInPath(startPage)}">Sign in</a></p>`,
    );
  const finished = await signIn.finish(request.query, kept.pending);
  const forget = cookies.clear(pendingCookie);
  if (!finished.ok) {
    const status = finished.error.kind === "unreachable" ? 503 : 401;
    const again = html`<p>${finished.error.detail} <a href="${signInPath(kept.to)}">Sign in</a></p>`;
    return notePage(status, "Not signed in", again);
  }
  sessions.end(cookies.read(request, sessionCookie));
  const session = cookies.set(sessionCookie, sessions.begin(finished.value), sessionSeconds);
  return redirect(kept.to, [session, forget]);
}

function readPending(
  cookie: string | undefined,
): { readonly pending: SignInPending; readonly to: string } | undefined {
  if (cookie === undefined) return undefined;
  const parsed = parseJsonStrict(Buffer.from(cookie, "base64url"));
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { state, nonce, verifier, to } = parsed.value;
  const texts = [state, nonce, verifier, to];
  if (!texts.every((text) => typeof text === "string" && text !== "")) return undefined;
  const pending = { state: String(state), nonce: String(nonce), verifier: String(verifier) };
  return { pending, to: ownPlace.test(String(to)) ? String(to) : startPage };
}

/** POST /approvals/sign-out: here; the provider may still know the browser. */
export function signOut({ sessions, cookies }: SignInParts, request: WebRequest): WebResponse {
  sessions.end(cookies.read(request, sessionCookie));
  return redirect("/approvals/signed-out", [cookies.clear(sessionCookie)]);
}

export function signedOutPage(): WebResponse {
  return notePage(
    200,
    "Signed out",
    html`<p>You are signed out here; your provider may still know this browser. <a href="${signInPath(startPage)}">Sign in</a></p>`,
  );
}
