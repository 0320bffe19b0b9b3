export { childProcessPeers } from "./line-peers.ts";
export { type StandardLines, standardLines } from "./standard-lines.ts";
