/**
 * Answers the gRPC Health Checking Protocol by the gate: SERVING only while the site may act. `Watch` is left unimplemented, as
 * the protocol allows, so that every answer is of the moment it was asked for.
 */
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { checkPath, decodeRequest, encodeResponse } from "./health-messages.ts";

export interface HealthServiceParts {
  readonly listen: { readonly host: string; readonly port: number };
  readonly site: string;
  /** Names that are asked for besides the empty one, which is the server as a whole. */
  readonly services: readonly string[];
  /** When it throws, the site may not act. */
  readonly serves: () => boolean;
}

export interface HealthService {
  readonly port: number;
  close(): Promise<void>;
}

const definition = {
  check: {
    ...{ path: checkPath, requestStream: false, responseStream: false },
    ...{ requestSerialize: Buffer.from, requestDeserialize: question },
    ...{ responseSerialize: encodeResponse, responseDeserialize: Buffer.from },
  },
} as const;

/** Rejects when it cannot listen. */
export async function serveHealth(parts: HealthServiceParts): Promise<HealthService> {
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 });
  server.addService(definition as never, {
    check: (call: Call, answer: Answer) => {
      const { service } = call.request;
      if (service !== "" && !parts.services.includes(service))
        return answer({ code: status.NOT_FOUND, details: "no such service" });
      const bound = new Metadata();
      bound.set("holdfast-site", parts.site);
      const [nonce] = call.metadata.get("holdfast-nonce");
      if (nonce !== undefined) bound.set("holdfast-nonce", nonce);
      return answer(null, serves(parts) ? "SERVING" : "NOT_SERVING", bound);
    },
  });
  const address = `${parts.listen.host}:${parts.listen.port}`;
  const port = await new Promise<number>((bound, failed) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? bound(at) : failed(error),
    );
  });
  return {
    port,
    close: async () => {
      server.forceShutdown();
    },
  };
}

/** In an object: the server takes an empty text for no message at all. */
function question(bytes: Buffer): { readonly service: string } {
  return { service: decodeRequest(bytes) };
}

interface Call {
  readonly request: { readonly service: string };
  readonly metadata: Metadata;
}

type Answer = (
  error: { readonly code: number; readonly details: string } | null,
  status?: "SERVING" | "NOT_SERVING",
  trailing?: Metadata,
) => void;

function serves({ serves: ask }: HealthServiceParts): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}
