/** Which resolved addresses an upstream may have. The check is made on the address that is connected to, not on the name. */
import { BlockList, isIP } from "node:net";

export type AddressRule =
  /** Only addresses of the public internet (IANA special-purpose registries excluded). */
  | "public"
  /** Everything but link-local, where cloud metadata services live. */
  | "not_metadata";

function listOf(ranges: readonly (readonly [string, number, "ipv4" | "ipv6"])[]): BlockList {
  const list = new BlockList();
  for (const [net, bits, family] of ranges) list.addSubnet(net, bits, family);
  return list;
}

const metadata = [
  ["169.254.0.0", 16, "ipv4"],
  ["fe80::", 10, "ipv6"],
  ["fd00:ec2::254", 128, "ipv6"],
  // Where other clouds have theirs: Alibaba, Oracle, Azure.
  ["100.100.100.200", 32, "ipv4"],
  ["192.0.0.192", 32, "ipv4"],
  ["168.63.129.16", 32, "ipv4"],
] as const;

const special = [
  ...metadata,
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 128, "ipv6"],
  ["::1", 128, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["100::", 64, "ipv6"],
  ["2001::", 23, "ipv6"],
  ["2001:db8::", 32, "ipv6"],
  ["3fff::", 20, "ipv6"],
  ["5f00::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["ff00::", 8, "ipv6"],
] as const;

const blocked: Readonly<Record<AddressRule, BlockList>> = {
  public: listOf(special),
  not_metadata: listOf(metadata),
};

/** False for an address the rule forbids, also when it is written as IPv4 inside IPv6. */
export function addressAllowed(written: string, rule: AddressRule): boolean {
  // Without the zone, which says by which interface and not to whom.
  const [address = ""] = written.split("%");
  const family = isIP(address);
  if (family === 4) return !blocked[rule].check(address, "ipv4");
  if (family !== 6 || blocked[rule].check(address, "ipv6")) return false;
  const inside = embedded(address);
  return inside === undefined || !blocked[rule].check(inside, "ipv4");
}

/** The IPv4 address that packets to this one go to: mapped, compatible, translated (RFC 6052) or by 6to4 (RFC 3056). */
function embedded(address: string): string | undefined {
  const groups = groupsOf(address);
  const head = groups.slice(0, 6).join(":");
  const last = head === "0:0:0:0:0:65535" || head === "0:0:0:0:0:0" || head === "100:65435:0:0:0:0";
  const pair = groups[0] === 0x2002 ? groups.slice(1, 3) : last ? groups.slice(6) : undefined;
  return pair?.flatMap((group) => [group >> 8, group & 0xff]).join(".");
}

/** The eight groups of a valid IPv6 address, as numbers. */
function groupsOf(address: string): readonly number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((n) => n.toString(16)).join(":"),
  );
  const [left = "", right = ""] = hex.split("::");
  const read = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(left), read(right)];
  const gap = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...gap, ...after];
}
