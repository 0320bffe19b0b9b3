/**
 * DNS messages as bytes (RFC 1035 4), as far as an update (RFC 2136) and its answer need them. Ours, because the encoders
 * of npm know neither the class NONE nor a record without a value, and both are how an update states its prerequisites.
 */
import { assert, err, ok, type Result } from "../../kernel/index.ts";

export const recordType = { A: 1, SOA: 6, TXT: 16, AAAA: 28, TSIG: 250, ANY: 255 } as const;
export const recordClass = { IN: 1, NONE: 254, ANY: 255 } as const;
/** RFC 1035 4.1.1 and RFC 2136 1.3. */
export const opcode = { query: 0, update: 5 } as const;

export interface DnsRecord {
  /** With or without the dot at its end. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly value: Uint8Array;
}

export interface DnsMessage {
  readonly id: number;
  readonly opcode: number;
  /** The question of a query; the zone of an update. */
  readonly question: { readonly name: string; readonly type: number };
  /** Answers of a query; prerequisites of an update. */
  readonly answers: readonly DnsRecord[];
  /** Authority of a query; the changes of an update. */
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

export interface DnsAnswer extends DnsMessage {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  /** Where the last additional record begins: where a signature (TSIG) would. */
  readonly lastAdditionalAt: number;
}

export function encodeMessage(message: DnsMessage): Uint8Array {
  const { question, answers, authority, additional } = message;
  const flags = message.opcode << 11;
  const counts = [1, answers.length, authority.length, additional.length];
  return Buffer.concat([
    ...[message.id, flags, ...counts].map(uint16),
    nameBytes(question.name),
    ...[question.type, recordClass.IN].map(uint16),
    ...[...answers, ...authority, ...additional].map(recordBytes),
  ]);
}

export function recordBytes(record: DnsRecord): Uint8Array {
  const ttl = Buffer.alloc(4);
  ttl.writeUInt32BE(record.ttlSeconds);
  return Buffer.concat([
    nameBytes(record.name),
    ...[record.type, record.class].map(uint16),
    ttl,
    uint16(record.value.length),
    record.value,
  ]);
}

/** In lower case and without compression, as signatures see names (RFC 8945 4.3.3). */
export function nameBytes(name: string): Uint8Array {
  const labels = name
    .toLowerCase()
    .split(".")
    .filter((label) => label !== "");
  const pieces = labels.map((label) => {
    const bytes = Buffer.from(label, "latin1");
    assert(bytes.length <= 63, `a label of the DNS name ${name} is over 63 bytes`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat([...pieces, Buffer.of(0)]);
}

export function uint16(value: number): Uint8Array {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Texts of one TXT record (RFC 1035 3.3.14), cut into pieces of at most 255 bytes. */
export function textValue(text: string): Uint8Array {
  const bytes = Buffer.from(text, "latin1");
  const pieces: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const piece = bytes.subarray(at, at + 255);
    pieces.push(Buffer.of(piece.length), piece);
  }
  return Buffer.concat(pieces);
}

export function valueText(value: Uint8Array): string {
  let text = "";
  for (let at = 0; at < value.length; ) {
    const length = value[at] ?? 0;
    text += Buffer.from(value.subarray(at + 1, at + 1 + length)).toString("latin1");
    at += 1 + length;
  }
  return text;
}

/** The error is a sentence; a message that is cut short or points in circles is none. */
export function decodeMessage(bytes: Uint8Array): Result<DnsAnswer, string> {
  try {
    return ok(new Reader(Buffer.from(bytes)).message());
  } catch (thrown) {
    if (thrown instanceof RangeError) return err("the answer is not a whole DNS message");
    throw thrown;
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  message(): DnsAnswer {
    const [id, flags, questions, ...counts] = [0, 0, 0, 0, 0, 0].map(() => this.#uint16());
    let question = { name: "", type: 0 };
    for (let read = 0; read < (questions ?? 0); read++) {
      question = { name: this.#name(), type: this.#uint16() };
      this.#uint16();
    }
    let lastAt = this.#at;
    const [answers = [], authority = [], additional = []] = counts.map((count) =>
      Array.from({ length: count }, () => {
        lastAt = this.#at;
        return this.#record();
      }),
    );
    const bits = flags ?? 0;
    return {
      ...{ id: id ?? 0, opcode: (bits >> 11) & 15, rcode: bits & 15 },
      ...{ isAuthoritative: (bits & 0x400) !== 0, isTruncated: (bits & 0x200) !== 0 },
      ...{ question, answers, authority, additional, lastAdditionalAt: lastAt },
    };
  }

  #record(): DnsRecord {
    const name = this.#name();
    const [type, klass] = [this.#uint16(), this.#uint16()];
    const ttlSeconds = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    const length = this.#uint16();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("cut short");
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return { name, type, class: klass, ttlSeconds, value };
  }

  #uint16(): number {
    const value = this.#bytes.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  /** Follows pointers (RFC 1035 4.1.4), which may only point backwards. */
  #name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let after: number | undefined;
    for (;;) {
      const length = this.#bytes.readUInt8(at);
      if (length === 0) break;
      if (length >= 0xc0) {
        const to = this.#bytes.readUInt16BE(at) & 0x3fff;
        if (to >= at) throw new RangeError("a pointer forwards");
        after ??= at + 2;
        at = to;
        continue;
      }
      if (length > 63 || at + 1 + length > this.#bytes.length) throw new RangeError("cut short");
      labels.push(this.#bytes.toString("latin1", at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
    this.#at = after ?? at + 1;
    return labels.join(".");
  }
}
