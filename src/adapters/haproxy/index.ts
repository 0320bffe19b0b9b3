export {
  type AgentCheckServer,
  type AgentState,
  agentLine,
  serveAgentCheck,
} from "./agent-check.ts";
export { type HaproxyListener, type HaproxySite, haproxyConfiguration } from "./configuration.ts";
