/**
 * What HAProxy's agent check asks a site: may traffic come? (HAProxy, configuration manual, `agent-check`.) The answer is one
 * line, and then the connection ends. HAProxy takes an answer that it cannot read for none and changes nothing, so that there
 * are only two answers here, and the space before `#` is part of one of them.
 */
import { createServer, type Server } from "node:net";

/** `reason` is for people: HAProxy shows it on its statistics page. */
export type AgentState =
  | { readonly serves: true }
  | { readonly serves: false; readonly reason: string };

export interface AgentCheckServer {
  readonly port: number;
  close(): Promise<void>;
}

const reasonLengthMax = 80;
const connectionsMax = 256;
const lingerMs = 1_000;

export function agentLine(state: AgentState): string {
  if (state.serves) return "ready up 100%\n";
  const reason = state.reason.replace(/[^\x20-\x7e]+/g, " ").slice(0, reasonLengthMax);
  return `maint down #${reason}\n`;
}

/** Answers every connection by what `state` says then; when that throws, the site takes no traffic. Rejects when it cannot listen. */
export async function serveAgentCheck(
  listen: { readonly host: string; readonly port: number },
  state: () => AgentState,
): Promise<AgentCheckServer> {
  const server = createServer((socket) => {
    // A client that left, or that does not read, is none of our concern.
    socket.on("error", () => socket.destroy());
    socket.setTimeout(lingerMs, () => socket.destroy());
    socket.end(agentLine(stateOf(state)));
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(listen.port, listen.host, listening);
  });
  return { port: portOf(server), close: () => closed(server) };
}

function stateOf(state: () => AgentState): AgentState {
  try {
    return state();
  } catch {
    return { serves: false, reason: "the gate cannot be read" };
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((done) => {
    server.close(() => done());
  });
}
