/**
 * Points one name at the site that may act, by dynamic update (RFC 2136) signed with TSIG (RFC 8945). The name server needs one
 * line: `update-policy { grant <key> name <name> A AAAA TXT; };`, and nobody else may write the name.
 */
import { randomInt } from "node:crypto";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";
import { type DnsError, exchange, type NameServer } from "./exchange.ts";
import { type DnsAnswer, type DnsMessage, decodeMessage, opcode, recordType } from "./message.ts";
import {
  changes,
  markOf,
  prerequisites,
  type Steered,
  type Steering,
  steer,
  steeredOf,
} from "./steered-name.ts";
import { signed, type TsigKey, tsigErrorOf, verifySigned } from "./tsig.ts";

export interface SteeredName {
  /** The primary of the zone, and nothing before it that keeps answers. */
  readonly server: NameServer;
  readonly zone: string;
  readonly name: string;
  readonly key: TsigKey;
  /** For how long resolvers may answer what has been changed since. */
  readonly ttlSeconds: number;
}

const timeoutMs = 2_000;

/** RFC 2136 2.2, RFC 8945 5.3. */
const rcodes: Readonly<Record<number, { readonly name: string; readonly kind: DnsError["kind"] }>> =
  {
    1: { name: "FORMERR", kind: "refused" },
    2: { name: "SERVFAIL", kind: "unknown" },
    3: { name: "NXDOMAIN", kind: "conflict" },
    4: { name: "NOTIMP", kind: "refused" },
    5: { name: "REFUSED", kind: "refused" },
    6: { name: "YXDOMAIN", kind: "conflict" },
    7: { name: "YXRRSET", kind: "conflict" },
    8: { name: "NXRRSET", kind: "conflict" },
    9: { name: "NOTAUTH", kind: "refused" },
    10: { name: "NOTZONE", kind: "refused" },
  };

export class DnsSteering {
  readonly #at: SteeredName;
  readonly #clock: Clock;

  constructor(at: SteeredName, clock: Clock) {
    this.#at = at;
    this.#clock = clock;
  }

  /** What stands at the name, from its primary. */
  async now(): Promise<Result<Steered, DnsError>> {
    const found = [];
    for (const type of [recordType.A, recordType.AAAA, recordType.TXT]) {
      const question = { name: this.#at.name, type };
      const asked = await this.#ask({ ...blank(opcode.query), question });
      if (!asked.ok) return err({ ...asked.error, kind: "unreachable" });
      const { rcode, answers, isAuthoritative } = asked.value;
      if (!isAuthoritative || (rcode !== 0 && rcode !== 3))
        return err({
          kind: "unreachable",
          detail: `the server has no authority (${named(rcode)})`,
        });
      found.push(...answers.filter((record) => record.type === type));
    }
    return ok(steeredOf(found));
  }

  /**
   * Points the name at `next` if everything there is still as it is read now, and of no higher epoch. True: it was
   * written; false: it stood there already.
   */
  async point(next: Steering): Promise<Result<boolean, DnsError>> {
    const now = await this.now();
    return now.ok ? await this.replace(now.value, next) : now;
  }

  /** The same, from what was read before. */
  async replace(now: Steered, next: Steering): Promise<Result<boolean, DnsError>> {
    const steered = steer(now, next);
    if (!steered.ok) return err({ kind: "refused", detail: steered.error });
    if (steered.value === "nothing") return ok(false);
    const { zone, name, ttlSeconds } = this.#at;
    const told = await this.#ask({
      ...blank(opcode.update),
      question: { name: zone, type: recordType.SOA },
      answers: prerequisites(name, now),
      authority: changes(name, next, ttlSeconds),
    });
    if (!told.ok) return told;
    const { rcode } = told.value;
    if (rcode === 0) return ok(true);
    const kind = rcodes[rcode]?.kind ?? "unknown";
    return err({ kind, detail: `${markOf(next)}: the server answered ${named(rcode)}` });
  }

  async #ask(message: DnsMessage): Promise<Result<DnsAnswer, DnsError>> {
    const { key, server } = this.#at;
    const { bytes, mac } = signed(message, key, this.#clock.wallMs());
    const answered = await exchange(server, bytes, timeoutMs);
    if (!answered.ok) return answered;
    const unknown = (detail: string): Result<never, DnsError> => err({ kind: "unknown", detail });
    const answer = decodeMessage(answered.value);
    if (!answer.ok) return unknown(answer.error);
    if (answer.value.id !== message.id) return unknown("the answer is to another question");
    // Without a signature only this much is believed: that we were not understood, so that nothing was done for us.
    const tsig = tsigErrorOf(answer.value);
    if (tsig !== undefined) return err({ kind: "refused", detail: `our signature: ${tsig}` });
    const verified = verifySigned(answered.value, answer.value, key, mac, this.#clock.wallMs());
    return verified.ok ? ok(answer.value) : unknown(verified.error);
  }
}

function blank(code: number): Omit<DnsMessage, "question"> {
  const id = randomInt(0x1_00_00);
  return { id, opcode: code, answers: [], authority: [], additional: [] };
}

function named(rcode: number): string {
  return rcodes[rcode]?.name ?? `rcode ${rcode}`;
}
