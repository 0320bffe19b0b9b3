/** The frame of every page: no script, nothing from elsewhere, no copy left in a cache. */
import { textAnswer, type WebResponse } from "../web.ts";
import { type Html, html, shown } from "./html.ts";

/** Who is signed in, for the head of the page. */
export interface Visitor {
  readonly name: string;
  readonly formToken: string;
}

export interface Page {
  readonly status?: number;
  readonly title: string;
  readonly visitor?: Visitor | undefined;
  readonly main: Html;
  readonly cookies?: readonly string[];
}

/** `same-origin` and not `no-referrer`: with that, browsers send `Origin: null` with our own forms. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

export function pageAnswer({ status = 200, title, visitor, main, ...page }: Page): WebResponse {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · Holdfast</title>
<link rel="stylesheet" href="/approvals/style.css">
</head>
<body>
<header><a href="/approvals">Approvals</a>${visitor === undefined ? undefined : signOut(visitor)}</header>
<main>${main}</main>
</body>
</html>
`;
  const cookies = page.cookies ?? [];
  return textAnswer(status, "text/html; charset=utf-8", whole.markup, {
    ...pageHeaders,
    ...(cookies.length > 0 && { "set-cookie": cookies }),
  });
}

function signOut({ name, formToken }: Visitor): Html {
  return html`<form method="post" action="/approvals/sign-out"><span class="quiet">${shown(name)}</span> ${formTokenField(formToken)}<button>Sign out</button></form>`;
}

export function formTokenField(formToken: string): Html {
  return html`<input type="hidden" name="form_token" value="${formToken}">`;
}

/** A page that says one thing. */
export function notePage(
  status: number,
  title: string,
  sentences: Html,
  visitor?: Visitor,
): WebResponse {
  return pageAnswer({ status, title, visitor, main: html`<h1>${title}</h1>${sentences}` });
}
