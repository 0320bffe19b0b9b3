/** A question that is not judged: an HTTP status and a sentence (section 10.1). */
import { type FrontResponse, problemResponse } from "../http-front.ts";

export interface Refused {
  readonly status: number;
  readonly detail: string;
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  403: "Not allowed to ask",
};

export function refused({ status, detail }: Refused): FrontResponse {
  return problemResponse(status, titles[status] ?? "Too large", detail);
}
