/** What the gateway asks for itself: the definition of a tool that is called before it was ever listed. */
import { sliceJson } from "../../../kernel/index.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { ownRequest, ownTimeoutMs } from "../wire/own-request.ts";
import { type McpLimits, type McpUpstream, sessionHeaders } from "../wire/upstream.ts";
import type { Catalog, CatalogTool } from "./catalog.ts";
import type { Exchange } from "./exchange.ts";
import { ownerOf } from "./sessions.ts";

const pagesMax = 50;
/** After a whole list without the tool: made-up names must not become a stream of requests. */
const listAgainMs = 2_000;

export class ToolListing {
  readonly #upstream: McpUpstream;
  readonly #catalog: Catalog;
  readonly #limits: McpLimits;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #ids = 0;

  constructor(upstream: McpUpstream, catalog: Catalog, limits: McpLimits) {
    this.#upstream = upstream;
    this.#catalog = catalog;
    this.#limits = limits;
  }

  /** The pinned definition; lists the upstream's tools, at most every 2 s, when it was never seen. */
  async tool(exchange: Exchange, name: string): Promise<CatalogTool | undefined> {
    const { clock, spine, identity, era } = exchange;
    if (clock.monotonicMs() < this.#notBeforeMs || this.#upstream.isHeld?.() === true)
      return this.#catalog.get(name);
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax && this.#catalog.get(name) === undefined; page++) {
      const answer = await this.#page(exchange, cursor);
      if (answer === undefined) return undefined;
      this.#catalog.filtered(answer, spine, identity, era);
      const next = jsonValueOf(sliceJson(answer, ["result", "nextCursor"]));
      if (typeof next !== "string") break;
      cursor = next;
    }
    const found = this.#catalog.get(name);
    if (found === undefined) this.#notBeforeMs = clock.monotonicMs() + listAgainMs;
    return found;
  }

  async #page(exchange: Exchange, cursor?: string): Promise<Uint8Array | undefined> {
    const headers = sessionHeaders(exchange.headers);
    this.#ids += 1;
    const request = {
      id: `holdfast-${this.#ids}`,
      method: "tools/list",
      params: cursor === undefined ? {} : { cursor },
    };
    const { clock } = exchange;
    const over = new AbortController();
    const asked = ownRequest(
      { upstream: this.#upstream, era: exchange.era, owner: ownerOf(exchange.identity) },
      request,
      headers,
      this.#limits,
      over.signal,
    ).catch(() => undefined);
    // A server that begins a list and never ends it holds up nobody's call for longer.
    const late = clock.sleep(ownTimeoutMs, over.signal).then(() => undefined);
    const answer = await Promise.race([asked, late]);
    over.abort();
    return answer;
  }
}
