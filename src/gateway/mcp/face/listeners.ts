/** Open streams of clients that are told when what they may see has changed. */
import { isJsonObject } from "../../../kernel/index.ts";
import type { FrontRequest, FrontResponse } from "../../http-front.ts";
import { metaKey } from "../wire/eras.ts";
import type { RpcRequest } from "../wire/json-rpc.ts";
import { Outlet } from "../wire/outlet.ts";
import { sseMessage } from "../wire/sse.ts";
import { eventStreamHeaders } from "../wire/upstream.ts";

export const legacyToolsChanged: string = JSON.stringify({
  jsonrpc: "2.0",
  method: "notifications/tools/list_changed",
});

export class Listeners {
  readonly #notify = new Set<() => void>();

  /** What an agent may see has changed: every open listener is told to list again. */
  changed(): void {
    for (const notify of this.#notify) notify();
  }

  /** Writes `message` on every change; returns the way to stop. */
  add(outlet: Outlet, message: string): () => void {
    const notify = (): void => {
      outlet.write(sseMessage(message)).catch(() => undefined);
    };
    this.#notify.add(notify);
    return () => this.#notify.delete(notify);
  }

  /** The older era's GET stream, from the gateway alone. */
  async stream({ signal }: FrontRequest): Promise<FrontResponse> {
    const outlet = new Outlet(signal);
    outlet.begin(200, eventStreamHeaders);
    const silence = this.add(outlet, legacyToolsChanged);
    signal.addEventListener("abort", silence, { once: true });
    if (signal.aborted) silence();
    return await outlet.response;
  }
}

/** The notice for a modern listener, when it asked for changes of tools. */
export function listenChange({ id, params }: RpcRequest): string | undefined {
  const { notifications } = params;
  if (!isJsonObject(notifications) || notifications["toolsListChanged"] !== true) return undefined;
  return JSON.stringify({
    jsonrpc: "2.0",
    method: "notifications/tools/list_changed",
    params: { _meta: { [metaKey.subscriptionId]: id } },
  });
}
