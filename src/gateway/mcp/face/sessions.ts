/**
 * What the gateway knows of its clients' sessions: who opened each, and what waits in it. A session id is not a
 * credential (MCP security best practices, session hijacking): it is worth nothing to another principal.
 */
import type { Identity } from "../../../identity/index.ts";
import { canonicalJson } from "../../../kernel/index.ts";
import type { Clock } from "../../../ports.ts";
import type { McpLimits } from "../wire/upstream.ts";
import { OpenQuestions } from "./open-questions.ts";
import { OpenRequests } from "./relay.ts";

export interface McpSession {
  readonly owner: string;
  /** Of the client, and of the server. */
  readonly open: OpenRequests;
  readonly questions: OpenQuestions;
}

interface Kept extends McpSession {
  usedMs: number;
}

/** Who an identity is, for the question "is it the same one as before". */
export function ownerOf(identity: Identity): string {
  const { tenant, agent, principal, delegation } = identity;
  return canonicalJson([tenant, agent, principal ?? null, delegation]);
}

/**
 * The key of the session to give up when there is no room: the first of the owner that has most, so that one who opens
 * many pays with their own.
 */
export function oldestOfMost(
  sessions: Iterable<readonly [string, { readonly owner: string }]>,
): string | undefined {
  const held = new Map<string, { readonly first: string; count: number }>();
  for (const [key, { owner }] of sessions) {
    const of = held.get(owner) ?? { first: key, count: 0 };
    of.count += 1;
    held.set(owner, of);
  }
  let most: { readonly first: string; readonly count: number } | undefined;
  for (const of of held.values()) if (of.count > (most?.count ?? 0)) most = of;
  return most?.first;
}

export class Sessions {
  readonly #byId = new Map<string, Kept>();
  readonly #clock: Clock;
  readonly #limits: McpLimits;

  constructor(clock: Clock, limits: McpLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Remembers a session the upstream opened. Idle ones make room, then the longest unused of who has most. */
  opened(id: string, identity: Identity): void {
    const now = this.#clock.monotonicMs();
    for (const [key, session] of this.#byId) {
      if (now - session.usedMs <= this.#limits.sessionIdleMs) break;
      this.#byId.delete(key);
    }
    while (this.#byId.size >= this.#limits.sessionsMax)
      this.#byId.delete(oldestOfMost(this.#byId) ?? "");
    this.#byId.set(id, {
      owner: ownerOf(identity),
      open: new OpenRequests(),
      questions: new OpenQuestions(),
      usedMs: now,
    });
  }

  /** The session, when this identity opened it; undefined otherwise, which a client is told as 404: begin anew. */
  of(id: string, identity: Identity): McpSession | undefined {
    const session = this.#byId.get(id);
    if (session === undefined || session.owner !== ownerOf(identity)) return undefined;
    session.usedMs = this.#clock.monotonicMs();
    this.#byId.delete(id);
    this.#byId.set(id, session);
    return session;
  }

  closed(id: string): void {
    this.#byId.delete(id);
  }
}
