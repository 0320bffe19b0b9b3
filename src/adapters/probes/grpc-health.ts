/** `grpc_health`: a gRPC service says that it is serving. */
import { readFile } from "node:fs/promises";
import type { GrpcHealthVerification } from "../../failover/index.ts";
import { checkHealth } from "../grpc/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

/** The nonce goes along as metadata; a server that gives `holdfast-site` and `holdfast-nonce` back is bound by them. */
export async function grpcHealth(asking: Asking<GrpcHealthVerification>): Promise<Found> {
  const { verification, question, signal, isTimeUp } = asking;
  const { address, service = "", tls } = verification;
  const ca = tls?.ca_file === undefined ? {} : { ca: await readFile(tls.ca_file) };
  const name = tls?.server_name === undefined ? {} : { serverName: tls.server_name };
  const asked = await checkHealth({
    ...{ address, service, signal, timeoutMs: question.timeoutMs },
    metadata: { "holdfast-nonce": question.nonce },
    ...(tls === undefined ? {} : { tls: { ...ca, ...name } }),
  });
  const what = service === "" ? address : `${service} at ${address}`;
  if (!asked.ok) {
    if (isTimeUp()) return inconclusive(`${what} did not answer within ${question.timeoutMs} ms`);
    if (signal.aborted) return inconclusive("it was told to stop");
    const { why, isUnknown } = asked.error;
    return isUnknown ? fail(`${address} knows no service ${service}`) : inconclusive(why);
  }
  const { status, metadata } = asked.value;
  const [site, nonce] = [metadata("holdfast-site"), metadata("holdfast-nonce")];
  const echo = site === undefined || nonce === undefined ? {} : { echo: { site, nonce } };
  const more = { observed: { status }, ...echo };
  if (status === "SERVING") return pass(`${what} is serving`, more);
  return fail(`${what} is ${status}`, more);
}
