export { childProcessCommands } from "./commands.ts";
export { childProcessPeers } from "./line-peers.ts";
export { type StandardLines, standardLines } from "./standard-lines.ts";
