/** Builds the data plane from the configuration, runs it until a signal, and stops it in an order that loses nothing. */
import { join } from "node:path";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import {
  type ClosableTransport,
  type FrontServer,
  undiciTransport,
} from "../adapters/http/index.ts";
import { openSigner } from "../adapters/keys/index.ts";
import { pinoLog } from "../adapters/log/index.ts";
import { RegoThreads } from "../adapters/rego/index.ts";
import { openTelemetry } from "../adapters/telemetry/index.ts";
import type { EntryOrigin } from "../audit/index.ts";
import type { Config } from "../cli/index.ts";
import {
  ActivePolicy,
  type BundleSubscription,
  createSpine,
  Directory,
  type ExecutorParts,
  InFlight,
  type KillWatch,
  type ModelWatch,
  type OverrideKeys,
  PolicySource,
  type PolicySourceParts,
  type Spine,
} from "../gateway/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { type Ledger, openLedger } from "../ledger/index.ts";
import type { Log } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { openBundle, trustedKeys } from "./bundle-trust.ts";
import { type Faces, facesOf } from "./faces.ts";
import { identifierOf } from "./identities.ts";
import { listening } from "./listen.ts";
import { modelWatchOf } from "./model-facts.ts";
import { peopleAndLimits } from "./people-and-limits.ts";
import { permitWatchOf } from "./permit.ts";
import { subscriptionOf } from "./policy-feed.ts";
import { complain, stopSignal } from "./process.ts";
import { openSharedState } from "./shared-state.ts";
import type { UpstreamsCare } from "./upstream-care.ts";
import { version } from "./version.ts";

const policyPollMs = 500;
const stopGraceMs = 8_000;

export interface DataPlane {
  readonly spine: Spine;
  readonly directory: Directory;
  readonly modelWatch: ModelWatch;
  readonly ledger: Ledger;
  readonly policySource: PolicySource;
  /** Where policy comes in a bundle from elsewhere. */
  readonly subscription: BundleSubscription | undefined;
  readonly kill: KillWatch;
  readonly overrideKeys: OverrideKeys;
  readonly care: UpstreamsCare;
  readonly life: Pick<ExecutorParts, "run" | "logName" | "fateOf">;
  readonly followPeople: (signal: AbortSignal) => Promise<unknown>;
  readonly state: SharedState;
  readonly inFlight: InFlight;
  readonly transport: ClosableTransport;
  readonly log: Log;
  readonly telemetry: ReturnType<typeof openTelemetry>;
  readonly origin: EntryOrigin;
  /** After this, nothing is recorded any more. */
  close(): Promise<void>;
}

function telemetryOf(config: Config, instance: string): ReturnType<typeof openTelemetry> {
  return openTelemetry({
    serviceName: config.telemetry.service_name,
    serviceVersion: version,
    servers: Object.keys(config.upstreams),
    instance,
    sampleRatio: config.telemetry.trace_sample_ratio,
    ...(config.telemetry.otlp_endpoint === undefined
      ? {}
      : { otlpEndpoint: config.telemetry.otlp_endpoint }),
  });
}

/** Everything a face needs, without a face. The error is a sentence for the operator. */
export async function openDataPlane(
  config: Config,
  instance: string,
): Promise<Result<DataPlane, string>> {
  const log = pinoLog({ level: config.log.level, fields: { process: "gateway", instance } });
  const telemetry = telemetryOf(config, instance);
  const keyPath = join(config.data, "keys", "log.pem");
  const signer = await openSigner(keyPath, `${config.site}.${instance}.holdfast`);
  if (!signer.ok) return err(`${signer.error.path}: ${signer.error.detail}`);
  // Its epoch grows with the permits of the site, and goes into every entry from there on.
  const origin = { instance, site: config.site, epoch: 0 };
  const ledger = await openLedger({
    disk: openDisk(join(config.data, "log")),
    signer: signer.value,
    clock: systemClock,
    tenant: config.tenant,
    origin,
    holdfastVersion: version,
  });
  if (!ledger.ok) return err(`the log in ${join(config.data, "log")}: ${ledger.error.detail}`);
  const state = await openSharedState(config, `gateway/${config.site}/${instance}`);
  if (!state.ok) {
    await ledger.value.close();
    return err(state.error);
  }
  const policy = new ActivePolicy();
  const inFlight = new InFlight({
    perAgentMax: config.limits.calls_in_flight_per_agent_max,
    totalMax: config.limits.calls_in_flight_max,
  });
  const rego = new RegoThreads();
  const common = { clock: systemClock, ledger: ledger.value, policy, log, telemetry, origin, rego };
  const disk = openDisk(config.data);
  const policySource = policySourceOf(config, { ...common, disk });
  const transport = undiciTransport({
    addresses: "not_metadata",
    // Who may have a request open may have it at one upstream: a lower number would let one agent keep others waiting.
    connectionsMax: config.limits.requests_open_max,
  });
  const permit = await permitWatchOf(config, { ...common, state: state.value, http: transport });
  const people = permit.ok
    ? await peopleAndLimits(config, {
        ...{ ...common, state: state.value, signer: signer.value },
        ...(permit.value === undefined ? {} : { permit: permit.value }),
      })
    : permit;
  if (!people.ok) {
    await closing([transport, ledger.value, state.value])();
    return people;
  }
  const subscription = subscriptionOf(config, { http: transport, policySource, log, telemetry });
  const modelWatch = modelWatchOf(config, { ...common, disk });
  const directory = new Directory(config.directory.subjects, config.directory.resources);
  const spine = createSpine({
    ...common,
    ...people.value,
    entropy: systemEntropy,
    inFlight,
    directory,
    model: modelWatch,
  });
  return ok({
    spine,
    directory,
    modelWatch,
    ledger: ledger.value,
    policySource,
    subscription,
    kill: people.value.kill,
    overrideKeys: people.value.overrideKeys,
    care: people.value.care,
    life: people.value.life,
    followPeople: people.value.follow,
    state: state.value,
    inFlight,
    transport,
    log,
    telemetry,
    origin,
    close: closing([transport, rego, ledger.value, state.value, telemetry]),
  });
}

function policySourceOf(
  config: Config,
  ports: Pick<
    PolicySourceParts,
    "clock" | "ledger" | "policy" | "log" | "telemetry" | "origin" | "disk"
  > & { readonly rego: RegoThreads },
): PolicySource {
  return new PolicySource({
    ...ports,
    tenant: config.tenant,
    open: (archive) => openBundle(trustedKeys(config), archive),
    path: "bundles/current.tar.gz",
    lastGoodPath: "bundles/last-good.tar.gz",
    pollMs: policyPollMs,
  });
}

/** One after the other, in this order. */
function closing(parts: readonly { close(): Promise<unknown> }[]): () => Promise<void> {
  return async () => {
    for (const part of parts) await part.close();
  };
}

/** Resolves with the exit code: 0 after a signal, 1 when it could not start or the log has failed. */
export async function runGateway(config: Config): Promise<number> {
  const opened = await openDataPlane(config, config.instance);
  if (!opened.ok) return complain("gateway", opened.error);
  const plane = opened.value;
  const serving = await serve(config, plane);
  if (!serving.ok) {
    await plane.close();
    return complain("gateway", serving.error);
  }
  const { server, faces } = serving.value;
  const stop = new AbortController();
  const following = Promise.all([followAll(plane, stop.signal), faces.follow(stop.signal)]);
  plane.log.write("info", "gateway_listening", { url: server.url, version, data: config.data });
  await stopSignal();
  plane.log.write("info", "gateway_stopping", { calls_under_way: plane.inFlight.total });
  stop.abort();
  // No new calls; those under way finish and record their outcome; only then is the log closed.
  plane.inFlight.stop();
  await server.close(stopGraceMs, plane.inFlight.idle());
  await faces.close();
  await following;
  await idleWithin(plane, stopGraceMs);
  // What an upstream still has not answered ends here, as `unknown`; the outcome is recorded before the log is closed.
  await plane.transport.close();
  await idleWithin(plane, stopGraceMs);
  const healthy = plane.ledger.healthy();
  await plane.close();
  return healthy ? 0 : 1;
}

/** What the gateway keeps an eye on, until `signal` aborts. */
export async function followAll(
  { subscription, policySource, followPeople, modelWatch }: DataPlane,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    (subscription ?? policySource).follow(signal),
    followPeople(signal),
    modelWatch.follow(signal),
  ]);
}

interface Serving {
  readonly server: FrontServer;
  readonly faces: Faces;
}

/** Listens with every face. The stored policy is read first, so that the first call already finds it. */
async function serve(config: Config, plane: DataPlane): Promise<Result<Serving, string>> {
  const identifier = await identifierOf(config, {
    clock: systemClock,
    http: plane.transport,
    log: plane.log,
  });
  if (!identifier.ok) return identifier;
  const faces = await facesOf(config, plane, identifier.value);
  if (!faces.ok) return faces;
  const { limits } = config;
  await plane.policySource.refresh();
  await plane.modelWatch.refresh();
  const server = await listening(config.listen, faces.value.face, {
    log: plane.log,
    telemetry: plane.telemetry,
    limits: {
      connectionsMax: limits.connections_max,
      bodiesBytesMax: limits.bodies_bytes_max,
      headersMax: limits.headers_max,
      headerBytesMax: limits.header_bytes_max,
      bodyBytesMax: limits.body_bytes_max,
      requestTimeoutMs: limits.request_timeout_ms,
      concurrentRequestsMax: limits.requests_open_max,
    },
  });
  if (server.ok) return ok({ server: server.value, faces: faces.value });
  await faces.value.close();
  return server;
}

/** Waits for the calls under way, at most `ms`; no timer is left behind. */
async function idleWithin(plane: DataPlane, ms: number): Promise<void> {
  const done = new AbortController();
  await Promise.race([plane.inFlight.idle(), systemClock.sleep(ms, done.signal)]);
  done.abort();
}
