export { type ChainMatch, chainMatch } from "./chain-match.ts";
export { type ConfirmedIncident, type Manner, mannerOf } from "./incident.ts";
export { incidentAspect, incidentEvent, memoryOf } from "./incident-event.ts";
export { confirm, emptyMemory, type Keeping, type Memory, unexpired } from "./memory.ts";
export { memoryText, readIncident, readMemory } from "./memory-text.ts";
export { incidentOf, type Link, type Postmortem } from "./postmortem.ts";
export { readPostmortemJson } from "./postmortem-json.ts";
export { readPostmortemMarkdown } from "./postmortem-markdown.ts";
export { type Recalled, recall } from "./recall.ts";
