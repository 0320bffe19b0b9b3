/**
 * Where the next page of a search begins. The token is opaque to the client and needs no signature: each page is
 * judged anew for whoever asks, so a token that somebody made up skips candidates and gains nothing.
 */
import {
  canonicalJson,
  err,
  isJsonObject,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";

export interface PageStart {
  /** Of the question; a token is good only for the question that it was given out for. */
  readonly question: string;
  /** The last candidate that was judged; absent when none was. */
  readonly after?: string;
  /** Results asked for at most; goes on to hold when the next request says nothing. */
  readonly limit?: number;
}

export function pageToken({ question, after, limit }: PageStart): string {
  const value = {
    q: question,
    ...(after === undefined ? {} : { a: after }),
    ...(limit === undefined ? {} : { l: limit }),
  };
  return Buffer.from(canonicalJson(value)).toString("base64url");
}

export function readPageToken(token: string, question: string): Result<PageStart, string> {
  const bytes = Buffer.from(token, "base64url");
  const foreign = "`page.token` is none that was given out here";
  if (bytes.toString("base64url") !== token) return err(foreign);
  const parsed = parseJsonStrict(bytes);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err(foreign);
  const { q, a, l } = parsed.value;
  if (a !== undefined && typeof a !== "string") return err(foreign);
  if (l !== undefined && !(typeof l === "number" && Number.isInteger(l) && l >= 0))
    return err(foreign);
  if (q !== question)
    return err("`page.token` belongs to another question; ask the same one, or begin without it");
  return ok({
    question,
    ...(a === undefined ? {} : { after: a }),
    ...(l === undefined ? {} : { limit: l }),
  });
}
