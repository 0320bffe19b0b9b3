export { EscrowGate, type EscrowGateParts } from "./escrow-gate.ts";
export { EscrowExecutor, type ExecutorParts, type Sender } from "./executor.ts";
export { EscrowWords } from "./words.ts";
