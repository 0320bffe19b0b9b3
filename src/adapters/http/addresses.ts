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
  ["2001:db8::", 32, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["ff00::", 8, "ipv6"],
] as const;

const blocked: Readonly<Record<AddressRule, BlockList>> = {
  public: listOf(special),
  not_metadata: listOf(metadata),
};

/** False for an address the rule forbids, also when it is written as IPv4 inside IPv6. */
export function addressAllowed(address: string, rule: AddressRule): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const family = isIP(mapped);
  return family !== 0 && !blocked[rule].check(mapped, family === 4 ? "ipv4" : "ipv6");
}
