export { type ConfirmedIncident, type Manner, mannerOf } from "./incident.ts";
export { confirm, emptyMemory, type Keeping, type Memory, unexpired } from "./memory.ts";
export { memoryText, readIncident, readMemory } from "./memory-text.ts";
export { type Recalled, recall } from "./recall.ts";
