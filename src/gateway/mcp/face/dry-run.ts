/** A call in the form that its server is declared to change nothing on, as a request of the gateway's own. */
import type { JsonObject } from "../../../kernel/index.ts";
import type { Judged } from "../../call.ts";
import { ownRequest } from "../wire/own-request.ts";
import { paramHeadersFor } from "../wire/param-headers.ts";
import { sessionHeaders } from "../wire/upstream.ts";
import type { CatalogTool } from "./catalog.ts";
import type { Exchange } from "./exchange.ts";
import { ownerOf } from "./sessions.ts";

/** The server's answer, which the client never sees; undefined when none came before the time was up. */
export async function dryRunAnswer(
  { upstream, era, identity, headers, limits }: Exchange,
  request: { readonly method: string; readonly params: JsonObject },
  tool: CatalogTool | undefined,
  judged: Judged,
): Promise<Uint8Array | undefined> {
  const { idempotencyKey: id, traceparent, timeUp = new AbortController().signal } = judged;
  const asked = ownRequest(
    { upstream, era, owner: ownerOf(identity) },
    { ...request, id },
    {
      ...sessionHeaders(headers),
      ...paramHeadersFor(tool?.paramHeaders ?? [], judged.args).set,
      "idempotency-key": id,
      traceparent,
    },
    limits,
    timeUp,
  ).catch(() => undefined);
  const over = new Promise<undefined>((resolve) => {
    timeUp.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  return await Promise.race([asked, over]);
}
