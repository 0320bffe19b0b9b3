/** Builds the control plane from the configuration: watches the policy folder, publishes bundles, serves them to OPA. */
import { timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { systemClock } from "../adapters/clock/index.ts";
import { undiciTransport } from "../adapters/http/index.ts";
import { pinoLog } from "../adapters/log/index.ts";
import type { Config, Secret } from "../cli/index.ts";
import { BundleProtocol, type BundlePublisher, ModelLog } from "../control/index.ts";
import {
  type FrontFace,
  type FrontRequest,
  headerOf,
  jsonResponse,
  problemResponse,
  type Route,
  routed,
} from "../gateway/index.ts";
import { err, sha256 } from "../kernel/index.ts";
import { answeringRoutes } from "./answering.ts";
import { followDrills } from "./drill-watch.ts";
import { hostRules, listening } from "./listen.ts";
import { ModelReceiver } from "./model-receiver.ts";
import { complain, stopSignal } from "./process.ts";
import { startPublishing } from "./publishing.ts";
import { openSharedState } from "./shared-state.ts";
import { type Telling, telling } from "./telling.ts";
import { watchedModelOf } from "./watched-model.ts";

const reportBytesMax = 16 * 1024 * 1024;
const stopGraceMs = 2_000;

/** Resolves with the exit code: 0 after a signal, 1 when it could not start. */
export async function runControl(config: Config): Promise<number> {
  const log = pinoLog({ level: config.log.level, fields: { process: "control" } });
  const publishing = await startPublishing(config, config.data, log);
  if (!publishing.ok) return complain("control", publishing.error);
  const { publisher, stop } = publishing.value;
  const state = await openSharedState(config, `control/${config.instance}`);
  if (!state.ok) {
    stop();
    return complain("control", state.error);
  }
  const http = undiciTransport({ addresses: "not_metadata" });
  const ending = new AbortController();
  const told = telling(config, { state: state.value, http, log });
  const common = { state: state.value, clock: systemClock, log, telemetry: told.telemetry };
  const watched = await watchedModelOf(config, common);
  const receiver =
    config.model.token &&
    new ModelReceiver(config.model.token, {
      ...{ model: new ModelLog(state.value), clock: systemClock, log },
    });
  const following = Promise.all([
    told.follow(ending.signal),
    watched.ok ? watched.value.follow(ending.signal) : undefined,
    receiver?.follow(ending.signal),
    followDrills(config, { state: state.value, log }, ending.signal),
  ]);
  const end = async (): Promise<void> => {
    stop();
    ending.abort();
    await following;
    await Promise.all([state.value.close(), http.close(), told.close()]);
  };
  const protocol = new BundleProtocol(publisher, systemClock);
  const bundles = bundleFace(protocol, config.control.token, ending.signal);
  const answering = await answeringRoutes(config, { state: state.value, http, log });
  const routes = answering.ok ? answering.value : [];
  const face = routed(
    [
      ...controlRoutes(publisher, protocol, bundles, told),
      ...routes,
      ...told.routes,
      ...(receiver?.routes ?? []),
    ],
    hostRules(config, config.approvals.url),
  );
  const ready = watched.ok ? answering : watched;
  const server = ready.ok
    ? await listening(config.control.listen, face, { log })
    : err(ready.error);
  if (!server.ok) {
    await end();
    return complain("control", server.error);
  }
  log.write("info", "control_listening", { url: server.value.url, policies: config.policies });
  await stopSignal();
  ending.abort();
  await server.value.close(stopGraceMs);
  await end();
  return 0;
}

/** Bundles and reports. Requests that are held are let go when `ending` aborts. */
function bundleFace(
  protocol: BundleProtocol,
  token: Secret | undefined,
  ending: AbortSignal,
): FrontFace {
  return async (request) => {
    if (token !== undefined && !bears(request, token))
      return problemResponse(401, "Token required", "Send the token of `control.token`.", {
        "www-authenticate": "Bearer",
      });
    const body = await plainBody(request);
    if (body === undefined)
      return problemResponse(400, "Unreadable body", "The body is not the gzip it says it is.");
    const { method, path } = request;
    const asked = {
      ...{ method, path, body, prefer: headerOf(request, "prefer") },
      ifNoneMatch: headerOf(request, "if-none-match"),
    };
    await protocol.hold(asked, AbortSignal.any([request.signal, ending]));
    return (
      protocol.answer(asked) ?? problemResponse(404, "Not found", `Nothing is served at ${path}.`)
    );
  };
}

function bears(request: FrontRequest, token: Secret): boolean {
  const given = headerOf(request, "authorization") ?? "";
  // Digests are of one length, so that comparing tells nothing of how much was right.
  return timingSafeEqual(sha256(given), sha256(`Bearer ${token.reveal()}`));
}

function controlRoutes(
  publisher: BundlePublisher,
  protocol: BundleProtocol,
  asked: FrontFace,
  told: Telling,
): readonly Route[] {
  const ready: FrontFace = async () => {
    const { reports } = protocol;
    return jsonResponse(publisher.archive === undefined ? 503 : 200, {
      ...publisher.status,
      opa_instances: reports.instances.length,
      opa_decisions_received: reports.decisionsReceived,
    });
  };
  // Each OPA that reports, and whether it decides with the newest bundle.
  const status: FrontFace = async () => {
    const { revision } = publisher.status;
    const opas = protocol.reports.instances.map(({ seenSecondsAgo, ...opa }) => ({
      ...opa,
      current: opa.revision === revision,
      seen_seconds_ago: seenSecondsAgo,
    }));
    return jsonResponse(200, { ...publisher.status, opas, notices: told.status() });
  };
  return [
    ...["/bundles", "/status", "/logs"].map((prefix) => ({ prefix, face: asked })),
    { prefix: "/statusz", face: status, checkHost: false },
    { prefix: "/readyz", face: ready, checkHost: false },
    { prefix: "/metrics", face: () => told.metrics(), checkHost: false },
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
