/**
 * Where held writes lie in the store. All keys of an item follow from what never changes in it.
 *
 *   escrow/queue/<id>                     an open item, whole
 *   escrow/closed/<id>                    the same when it is over, without its arguments
 *   escrow/released/<upstream>/<seq>      which items may be carried out, in order
 *   escrow/lane/<upstream>                the order of one upstream, and who has its one item in hand
 *   escrow/of/<binding>                   the open item of this very write
 *   escrow/usage, escrow/usage/<tenant>/<agent>   how much is held
 *   escrow/unrecorded/<id>/<version>      words of people that are in no log yet
 */
import { canonicalJson, sha256Hex } from "../kernel/index.ts";
import type { Draft, EscrowItem } from "./item.ts";

export const queuePrefix = "escrow/queue/";
export const closedPrefix = "escrow/closed/";
export const releasedPrefix = "escrow/released/";
export const lanePrefix = "escrow/lane/";
export const unrecordedPrefix = "escrow/unrecorded/";
export const usageKey = "escrow/usage";

const name = encodeURIComponent;

/** Ids are call ids, and come back from people: anything else is no key of ours. */
const idForm = /^[0-9a-z]{1,64}$/;

export function isItemId(text: string): boolean {
  return idForm.test(text);
}

export function queueKey(id: string): string {
  return queuePrefix + name(id);
}

export function closedKey(id: string): string {
  return closedPrefix + name(id);
}

export function laneKey(upstream: string): string {
  return lanePrefix + name(upstream);
}

/** Sorts as the numbers do. */
export function releasedKey({ upstream, seq }: Pick<EscrowItem, "upstream" | "seq">): string {
  return `${releasedPrefix}${name(upstream)}/${String(seq).padStart(16, "0")}`;
}

export function unrecordedKey({ id, version }: Pick<EscrowItem, "id" | "version">): string {
  return `${unrecordedPrefix}${name(id)}/${version}`;
}

export function agentUsageKey(tenant: string, agent: string): string {
  return `${usageKey}/${name(tenant)}/${name(agent)}`;
}

/** One write is the same as another when the same agent, for the same person, means the same effect. */
export function bindingKey(of: Omit<Draft, "args" | "carry" | "met">): string {
  const { tenant, agent, delegation, principal, tool, args_digest, repeats } = of;
  const bound = {
    ...{ tenant, agent, delegation: [...delegation], principal, tool, args_digest },
    ...(repeats === null ? {} : { repeats }),
  };
  return `escrow/of/${sha256Hex(canonicalJson(bound))}`;
}
