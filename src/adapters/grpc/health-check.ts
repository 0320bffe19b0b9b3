/** Asks a gRPC server whether a service of it is there (gRPC Health Checking Protocol). */
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { err, ok, type Result } from "../../kernel/index.ts";
import { checkPath, decodeResponse, encodeRequest, type ServingStatus } from "./health-messages.ts";

export interface HealthQuestion {
  readonly address: string;
  /** Empty: the server as a whole. */
  readonly service: string;
  /** Without, in plain text. */
  readonly tls?: { readonly ca?: Buffer; readonly serverName?: string };
  /** Sent along, and looked for among what comes back. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HealthAnswer {
  readonly status: ServingStatus;
  /** Metadata of the answer, of names that were asked for. */
  metadata(name: string): string | undefined;
}

/** The error is a sentence; `isUnknown`: the server is there, and knows no such service. */
export async function checkHealth(
  question: HealthQuestion,
): Promise<Result<HealthAnswer, { readonly why: string; readonly isUnknown: boolean }>> {
  const { address, service, tls, timeoutMs, signal } = question;
  const client = new Client(
    address,
    tls === undefined ? credentials.createInsecure() : credentials.createSsl(tls.ca ?? null),
    {
      "grpc.enable_http_proxy": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": 64 * 1024,
      ...(tls?.serverName === undefined ? {} : { "grpc.ssl_target_name_override": tls.serverName }),
    },
  );
  const sent = new Metadata();
  for (const [name, value] of Object.entries(question.metadata)) sent.set(name, value);
  const received: Metadata[] = [];
  const metadata = (name: string): string | undefined =>
    received.flatMap((each) => each.get(name)).map(String)[0];
  try {
    return await new Promise((resolve) => {
      const settle = (error: ServiceError | null, answer?: ServingStatus): void => {
        signal.removeEventListener("abort", cancel);
        if (error !== null) resolve(err(refusalOf(error)));
        else if (answer === undefined) resolve(err({ why: "no answer", isUnknown: false }));
        else resolve(ok({ status: answer, metadata }));
      };
      const deadline = Date.now() + timeoutMs;
      const [path, asked] = [checkPath, encodeRequest];
      const call = client.makeUnaryRequest(
        path,
        asked,
        decodeResponse,
        service,
        sent,
        { deadline },
        settle,
      );
      const keep = (each: Metadata): number => received.push(each);
      call.on("metadata", keep);
      call.on("status", ({ metadata: trailing }) => keep(trailing));
      const cancel = (): void => call.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      if (signal.aborted) cancel();
    });
  } finally {
    client.close();
  }
}

function refusalOf({ code, details }: ServiceError): {
  readonly why: string;
  readonly isUnknown: boolean;
} {
  return { why: `${status[code] ?? code}: ${details}`, isUnknown: code === status.NOT_FOUND };
}
