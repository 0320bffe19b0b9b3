/** Signed messages between us and a name server that shares a secret with us: TSIG (RFC 8945), HMAC-SHA256. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  type DnsAnswer,
  type DnsMessage,
  type DnsRecord,
  encodeMessage,
  nameBytes,
  recordBytes,
  recordClass,
  recordType,
  uint16,
} from "./message.ts";

export interface TsigKey {
  readonly name: string;
  readonly secret: Uint8Array;
}

const algorithm = "hmac-sha256";
/** How far the two clocks may be apart (RFC 8945 10 recommends 300). */
const fudgeSeconds = 300;
const macBytes = 32;

/** The message with its signature, and the signature itself, which that of the answer covers. */
export function signed(
  message: DnsMessage,
  key: TsigKey,
  nowMs: number,
): { readonly bytes: Uint8Array; readonly mac: Uint8Array } {
  const plain = Buffer.from(encodeMessage(message));
  const time = uint48(Math.floor(nowMs / 1_000));
  const variables = variablesOf(key, time, uint16(fudgeSeconds), 0, new Uint8Array());
  const mac = hmac(key, [plain, variables]);
  const value = Buffer.concat([
    ...[nameBytes(algorithm), time, uint16(fudgeSeconds), uint16(mac.length), mac],
    ...[uint16(message.id), uint16(0), uint16(0)],
  ]);
  const record: DnsRecord = {
    ...{ name: key.name, type: recordType.TSIG, class: recordClass.ANY, ttlSeconds: 0, value },
  };
  // The number of additional records.
  plain.writeUInt16BE(message.additional.length + 1, 10);
  return { bytes: Buffer.concat([plain, recordBytes(record)]), mac };
}

/**
 * Ok: the answer is from who shares the secret, to this request. The error is a sentence; a server that could not
 * verify us answers without a signature (RFC 8945 5.3.2), and then nothing but its refusal can be believed.
 */
export function verifySigned(
  bytes: Uint8Array,
  answer: DnsAnswer,
  key: TsigKey,
  requestMac: Uint8Array,
  nowMs: number,
): Result<void, string> {
  const last = answer.additional.at(-1);
  if (last?.type !== recordType.TSIG) return err("the answer is not signed");
  const read = tsigOf(last);
  if (read === undefined) return err("the signature of the answer cannot be read");
  const { mac, time, fudge, error, other, id } = read;
  if (error !== 0) return err(`the server refused our signature: ${tsigErrors[error] ?? error}`);
  if (last.name !== key.name.toLowerCase().replace(/\.$/, "") || mac.length !== macBytes)
    return err("the answer is signed with another key");
  const plain = Buffer.from(bytes.subarray(0, answer.lastAdditionalAt));
  plain.writeUInt16BE(answer.additional.length - 1, 10);
  plain.writeUInt16BE(id, 0);
  const variables = variablesOf(key, time, fudge, error, other);
  const expected = hmac(key, [uint16(requestMac.length), requestMac, plain, variables]);
  if (!timingSafeEqual(expected, mac)) return err("the signature of the answer is wrong");
  const apart = Math.abs(time.readUIntBE(0, 6) - nowMs / 1_000);
  return apart <= fudgeSeconds
    ? ok(undefined)
    : err(`the answer was signed ${Math.round(apart)} s away from now`);
}

/** RFC 8945 3. */
const tsigErrors: Readonly<Record<number, string>> = {
  16: "BADSIG, the secrets differ",
  17: "BADKEY, it knows no such key",
  18: "BADTIME, the clocks are too far apart",
  22: "BADTRUNC",
};

interface Tsig {
  readonly mac: Buffer;
  readonly time: Buffer;
  readonly fudge: Buffer;
  readonly id: number;
  readonly error: number;
  readonly other: Buffer;
}

/** The error a server put into its signature record, whether or not it could sign; undefined where there is none. */
export function tsigErrorOf(answer: DnsAnswer): string | undefined {
  const last = answer.additional.at(-1);
  const error = last?.type === recordType.TSIG ? tsigOf(last)?.error : undefined;
  return error === undefined || error === 0 ? undefined : (tsigErrors[error] ?? String(error));
}

function tsigOf({ value }: DnsRecord): Tsig | undefined {
  const bytes = Buffer.from(value);
  const from = nameBytes(algorithm).length;
  if (!bytes.subarray(0, from).equals(nameBytes(algorithm))) return undefined;
  try {
    const length = bytes.readUInt16BE(from + 8);
    const after = from + 10 + length;
    return {
      time: bytes.subarray(from, from + 6),
      fudge: bytes.subarray(from + 6, from + 8),
      mac: bytes.subarray(from + 10, after),
      ...{ id: bytes.readUInt16BE(after), error: bytes.readUInt16BE(after + 2) },
      other: bytes.subarray(after + 6, after + 6 + bytes.readUInt16BE(after + 4)),
    };
  } catch {
    return undefined;
  }
}

/** RFC 8945 4.3.3: what is signed beside the message. */
function variablesOf(
  key: TsigKey,
  time: Uint8Array,
  fudge: Uint8Array,
  error: number,
  other: Uint8Array,
): Uint8Array {
  return Buffer.concat([
    ...[nameBytes(key.name), uint16(recordClass.ANY), Buffer.alloc(4), nameBytes(algorithm)],
    ...[time, fudge, uint16(error), uint16(other.length), other],
  ]);
}

function hmac(key: TsigKey, pieces: readonly Uint8Array[]): Buffer {
  const mac = createHmac("sha256", key.secret);
  for (const piece of pieces) mac.update(piece);
  return mac.digest();
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}
