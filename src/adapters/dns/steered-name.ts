/**
 * The name that agents reach their gateway by: which site it points at, and by which verdict. Pure. The name server never decides;
 * it answers what was written here after a verdict, and each write is a compare-and-swap of all that stood there before.
 */
import { err, ok, type Result } from "../../kernel/index.ts";
import { type DnsRecord, recordClass, recordType, textValue, valueText } from "./message.ts";

/** Where the name points. */
export interface Steering {
  /** IPv4 and IPv6 addresses, of one site only; those of the sinkhole when no site may act. */
  readonly addresses: readonly string[];
  /** `sha256:<hex>` of the verdict, or `none` at the sinkhole. */
  readonly verdict: string;
  readonly epoch: number;
}

/** What stands at the name now; `mark` is null where Holdfast has not written yet. */
export interface Steered {
  readonly addresses: readonly string[];
  readonly mark: string | null;
}

const markShape = /^holdfast verdict=(\S+) epoch=(\d+)$/;

export function markOf({ verdict, epoch }: Steering): string {
  return `holdfast verdict=${verdict} epoch=${epoch}`;
}

/** `write`: this is newer. `nothing`: it stands there already. The error: somebody with a higher epoch was here. */
export function steer(now: Steered, next: Steering): Result<"write" | "nothing", string> {
  const parts = markShape.exec(now.mark ?? "");
  if (now.mark !== null && parts === null)
    return err(`the TXT record at the name is not ours: ${JSON.stringify(now.mark)}`);
  const epoch = parts === null ? -1 : Number(parts[2]);
  if (epoch > next.epoch)
    return err(`the name was written under epoch ${epoch}, and ours is ${next.epoch}`);
  const same =
    now.mark === markOf(next) &&
    [...now.addresses].sort().join() === [...next.addresses].sort().join();
  return ok(same ? "nothing" : "write");
}

/** RFC 2136 2.4: what must stand at the name for the update to be made: exactly what was read. */
export function prerequisites(name: string, now: Steered): readonly DnsRecord[] {
  const records = recordsOf(name, now, 0);
  const absent = [recordType.A, recordType.AAAA, recordType.TXT].filter(
    (type) => !records.some((record) => record.type === type),
  );
  return [...records, ...absent.map((type) => ({ ...empty(name, type), class: recordClass.NONE }))];
}

/** RFC 2136 2.5: all that stands there is deleted, and the new added, in one step. */
export function changes(name: string, next: Steering, ttlSeconds: number): readonly DnsRecord[] {
  const gone = [recordType.A, recordType.AAAA, recordType.TXT].map((type) => ({
    ...empty(name, type),
    class: recordClass.ANY,
  }));
  const { addresses } = next;
  return [...gone, ...recordsOf(name, { addresses, mark: markOf(next) }, ttlSeconds)];
}

/** What the answers to queries for A, AAAA and TXT say. */
export function steeredOf(records: readonly DnsRecord[]): Steered {
  const addresses = records.flatMap(({ type, value }) =>
    type === recordType.A ? [ipv4Text(value)] : type === recordType.AAAA ? [ipv6Text(value)] : [],
  );
  const texts = records.filter(({ type }) => type === recordType.TXT);
  return { addresses, mark: texts.map(({ value }) => valueText(value))[0] ?? null };
}

function recordsOf(name: string, { addresses, mark }: Steered, ttlSeconds: number): DnsRecord[] {
  const of = (type: number, value: Uint8Array): DnsRecord => ({
    ...{ name, type, class: recordClass.IN, ttlSeconds, value },
  });
  const found = addresses.map((address) =>
    address.includes(":")
      ? of(recordType.AAAA, ipv6Value(address))
      : of(recordType.A, Buffer.from(address.split(".").map(Number))),
  );
  return mark === null ? found : [...found, of(recordType.TXT, textValue(mark))];
}

function empty(name: string, type: number): Omit<DnsRecord, "class"> {
  return { name, type, ttlSeconds: 0, value: new Uint8Array() };
}

function ipv4Text(value: Uint8Array): string {
  return [...value].join(".");
}

/** All eight groups, so that equal addresses are equal texts. */
function ipv6Text(value: Uint8Array): string {
  const bytes = Buffer.from(value);
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(":");
}

function ipv6Value(address: string): Uint8Array {
  const [left = "", right] = address.toLowerCase().split("::");
  const groups = (part: string): string[] => part.split(":").filter((group) => group !== "");
  const [before, after] = [groups(left), groups(right ?? "")];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const value = Buffer.alloc(16);
  const all = right === undefined ? before : [...before, ...zeros, ...after];
  for (const [at, group] of all.entries()) value.writeUInt16BE(Number.parseInt(group, 16), at * 2);
  return value;
}
