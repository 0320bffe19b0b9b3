export { childProcessPeers } from "./line-peers.ts";
