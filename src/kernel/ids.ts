/**
 * Identifiers. A tool has one id everywhere, `server:tool`: policy, records, metrics.
 * On the aggregated MCP wire it is `server.tool` (MCP tool names have no colon), mapped one to one
 * because a server name has no dot.
 */
export type ToolId = `${string}:${string}`;

/** A server (upstream) name: a lower-case DNS label, so that it fits a path, a metric and a tool id. */
export const serverNamePattern: RegExp = /^[a-z][a-z0-9-]{0,62}$/;

export function toolId(server: string, tool: string): ToolId {
  return `${server}:${tool}`;
}

/** Splits at the first colon; a tool name may hold more of them, a server name none. */
export function splitToolId(id: ToolId): { readonly server: string; readonly tool: string } {
  const at = id.indexOf(":");
  return { server: id.slice(0, at), tool: id.slice(at + 1) };
}

const base32 = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A call id: 48 bits of wall clock in ms, then 80 bits of entropy, Crockford base32 (the ULID layout), so ids sort
 * by time. `entropy` must be 10 bytes.
 */
export function callId(nowMs: number, entropy: Uint8Array): string {
  let time = "";
  for (let left = nowMs, i = 0; i < 10; i++) {
    time = (base32[left % 32] ?? "") + time;
    left = Math.floor(left / 32);
  }
  let chance = "";
  let bits = 0;
  let held = 0;
  for (const byte of entropy.subarray(0, 10)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      chance += base32[(held >> bits) & 31] ?? "";
    }
    held &= (1 << bits) - 1;
  }
  return time + chance;
}
