/** Takes break-glass orders: checks who signed, writes it down, and only then lets it count. */
import type { NoteVerifier } from "../../audit/index.ts";
import { neverOverridden, readBreakGlass } from "../../failover/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import { jsonAnswer, problemAnswer, type WebResponse } from "../web.ts";
import type { Guard } from "./guard.ts";
import type { GuardParts } from "./guard-parts.ts";

export class BreakGlassDesk {
  readonly #guard: Guard;
  readonly #parts: GuardParts;
  readonly #verifiers: readonly NoteVerifier[];
  /** Nonces of orders that were taken, also by earlier runs. */
  readonly #used: Set<string>;

  constructor(guard: Guard, parts: GuardParts, verifiers: readonly NoteVerifier[]) {
    this.#guard = guard;
    this.#parts = parts;
    this.#verifiers = verifiers;
    this.#used = new Set(parts.guardLog.history.usedNonces);
  }

  async take(body: JsonObject): Promise<WebResponse> {
    const { manifest, site, digest, deployment, clock } = this.#parts;
    const now = new Date(clock.wallMs()).toISOString();
    const read = readBreakGlass(body, manifest.break_glass, this.#verifiers, {
      ...{ deployment, tenant: manifest.tenant, site: site.id, manifest_digest: digest, now },
    });
    if (!read.ok) return refused(403, "not_granted", read.error);
    const { order, signedBy } = read.value;
    if (this.#used.has(order.nonce)) return refused(409, "used", "this order was used before");
    if (this.#guard.openFailover === undefined)
      return refused(409, "no_failover", "no failover is under way here; begin one first");
    this.#used.add(order.nonce);
    const untilMs = clock.monotonicMs() + order.seconds * 1_000;
    const except = neverOverridden(manifest);
    const noted = await this.#guard.note("break_glass", {
      ...{ reason: order.reason, signed_by: signedBy, nonce: order.nonce, tier: order.tier },
      expires: new Date(clock.wallMs() + order.seconds * 1_000).toISOString(),
      overrides: this.#guard.state.failing.map(({ component }) => component),
    });
    if (!noted)
      return refused(503, "not_recorded", "it could not be recorded, so it does not count");
    await this.#guard.hear({ kind: "break_glass", grant: { untilMs, tier: order.tier, except } });
    return jsonAnswer(202, {
      signed_by: signedBy,
      seconds: order.seconds,
      never_overridden: except,
    });
  }
}

function refused(status: number, code: string, detail: string): WebResponse {
  return problemAnswer({ status, code, title: "Break-glass is not granted", detail });
}
