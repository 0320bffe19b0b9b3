/** The two messages of `grpc.health.v1.Health/Check`, in the wire format of Protocol Buffers: one field each. */

const lengthDelimited = (field: number): number => (field << 3) | 2;
const varintField = (field: number): number => field << 3;

export const checkPath = "/grpc.health.v1.Health/Check";

/** Of `HealthCheckResponse.ServingStatus`. */
export const servingStatuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
export type ServingStatus = (typeof servingStatuses)[number];

/** `HealthCheckRequest { string service = 1; }` */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([lengthDelimited(1)]), varint(name.length), name]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`. Undefined when the bytes are no such message. */
export function decodeResponse(bytes: Buffer): ServingStatus | undefined {
  // The default of an enum is not on the wire.
  if (bytes.length === 0) return servingStatuses[0];
  const status = bytes.length === 2 && bytes[0] === varintField(1) ? bytes[1] : undefined;
  return servingStatuses[status ?? -1];
}

/** The name of the service. Undefined when the bytes are no such message. */
export function decodeRequest(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return "";
  const length = bytes[1] ?? 0;
  // Names of services are short: one byte holds their length.
  const isOne = bytes[0] === lengthDelimited(1) && length < 128 && bytes.length === 2 + length;
  return isOne ? bytes.toString("utf8", 2) : undefined;
}

/** Before each message: compressed or not, and its length. */
const prefixBytes = 5;

export function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The one message, which nobody asked to be compressed. */
export function messageIn(body: Buffer): Buffer | undefined {
  if (body.length < prefixBytes || body[0] !== 0) return undefined;
  return body.readUInt32BE(1) === body.length - prefixBytes
    ? body.subarray(prefixBytes)
    : undefined;
}

export function encodeResponse(status: ServingStatus): Buffer {
  return Buffer.from([varintField(1), servingStatuses.indexOf(status)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 127) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}
