/** Builds the control plane from the configuration: watches the policy folder, publishes bundles, serves them to OPA. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { pinoLog } from "../adapters/log/index.ts";
import type { Config } from "../cli/index.ts";
import { BundleProtocol, type BundlePublisher } from "../control/index.ts";
import {
  type FrontFace,
  type FrontRequest,
  headerOf,
  jsonResponse,
  problemResponse,
  type Route,
  routed,
} from "../gateway/index.ts";
import { hostRules, listening } from "./listen.ts";
import { complain, stopSignal } from "./process.ts";
import { startPublishing } from "./publishing.ts";

const reportBytesMax = 16 * 1024 * 1024;
const stopGraceMs = 2_000;

/** Resolves with the exit code: 0 after a signal, 1 when it could not start. */
export async function runControl(config: Config): Promise<number> {
  const log = pinoLog({ level: config.log.level, fields: { process: "control" } });
  const publishing = await startPublishing(config, config.data, log);
  if (!publishing.ok) return complain("control", publishing.error);
  const { publisher, stop } = publishing.value;
  const protocol = new BundleProtocol(publisher);
  const face = routed(controlRoutes(publisher, protocol), hostRules(config));
  const server = await listening(config.control.listen, face, { log });
  if (!server.ok) {
    stop();
    return complain("control", server.error);
  }
  log.write("info", "control_listening", { url: server.value.url, policies: config.policies });
  await stopSignal();
  stop();
  await server.value.close(stopGraceMs);
  return 0;
}

function controlRoutes(publisher: BundlePublisher, protocol: BundleProtocol): readonly Route[] {
  const reported: FrontFace = async (request) => {
    const body = await plainBody(request);
    if (body === undefined)
      return problemResponse(400, "Unreadable body", "The body is not the gzip it says it is.");
    const { method, path } = request;
    const answer = protocol.answer({
      method,
      path,
      ifNoneMatch: headerOf(request, "if-none-match"),
      body,
    });
    return answer ?? problemResponse(404, "Not found", `Nothing is served at ${path}.`);
  };
  const ready: FrontFace = async () => {
    const { reports } = protocol;
    return jsonResponse(publisher.archive === undefined ? 503 : 200, {
      ...publisher.status,
      opa_instances: reports.instances.size,
      opa_decisions_received: reports.decisionsReceived,
    });
  };
  return [
    ...["/bundles", "/status", "/logs"].map((prefix) => ({ prefix, face: reported })),
    { prefix: "/readyz", face: ready, checkHost: false },
    { prefix: "/livez", face: async () => jsonResponse(200, { live: true }), checkHost: false },
  ];
}

async function plainBody(request: FrontRequest): Promise<Uint8Array | undefined> {
  if (headerOf(request, "content-encoding") !== "gzip") return request.body;
  try {
    return await promisify(gunzip)(request.body, { maxOutputLength: reportBytesMax });
  } catch {
    return undefined;
  }
}
