export { bindConfiguration, type SteeredZone } from "./configuration.ts";
export { DnsSteering, type SteeredName } from "./dns-steering.ts";
export type { DnsError, NameServer } from "./exchange.ts";
export { type FollowParts, followGate } from "./follow-gate.ts";
export { decodeMessage, encodeMessage, opcode, recordType } from "./message.ts";
export { type Steered, type Steering, steer, steeredOf } from "./steered-name.ts";
export type { TsigKey } from "./tsig.ts";
