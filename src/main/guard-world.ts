/** What a guard needs of the world: its log, the arbiter, the store of its site, HTTP, telemetry. */
import { join } from "node:path";
import { systemClock } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { EtcdStore } from "../adapters/etcd/index.ts";
import { type ClosableTransport, undiciTransport } from "../adapters/http/index.ts";
import { pinoLog } from "../adapters/log/index.ts";
import { PostgresStore } from "../adapters/postgres/index.ts";
import { SqliteStore } from "../adapters/sqlite/index.ts";
import { type OpenTelemetry, openTelemetry } from "../adapters/telemetry/index.ts";
import { noteVerifier } from "../audit/index.ts";
import type { Config, FailoverConfig } from "../cli/index.ts";
import { GuardLog } from "../control/index.ts";
import type { Manifest, Watermark } from "../failover/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { type Ledger, openLedger } from "../ledger/index.ts";
import type { HttpTransport, Log, Signer, Store } from "../ports.ts";
import { SharedState } from "../state/index.ts";
import { guardFolder } from "./guard-key.ts";
import { openSharedState } from "./shared-state.ts";
import { version } from "./version.ts";

interface OpenLog {
  readonly ledger: Ledger;
  readonly guardLog: GuardLog;
}

export interface GuardWorld extends OpenLog {
  readonly arbiter: SharedState;
  readonly state: SharedState;
  readonly http: ClosableTransport;
  readonly telemetry: OpenTelemetry;
  readonly log: Log;
  readonly close: () => Promise<void>;
}

/** The error is a sentence for the operator; nothing stays open then. */
export async function openGuardWorld(
  config: Config,
  failover: FailoverConfig,
  signer: Signer,
  manifest: Manifest,
): Promise<Result<GuardWorld, string>> {
  const log = pinoLog({ level: config.log.level, fields: { process: "guard", site: config.site } });
  const http = undiciTransport({ addresses: "not_metadata" });
  const closing: { close(): Promise<unknown> }[] = [http];
  const close = async (): Promise<void> => {
    for (const each of closing) await each.close();
  };
  const opened = await openLog(config, signer, manifest);
  if (opened.ok) closing.unshift(opened.value.ledger);
  const arbiter = opened.ok ? await openArbiter(failover, http) : opened;
  if (arbiter.ok) closing.unshift(arbiter.value);
  const state = arbiter.ok ? await openSharedState(config, undefined, { standbys: true }) : arbiter;
  if (!opened.ok || !arbiter.ok || !state.ok) {
    await close();
    return !opened.ok ? opened : !arbiter.ok ? arbiter : (state as Result<never, string>);
  }
  const telemetry = openTelemetry({
    ...{ serviceName: config.telemetry.service_name, serviceVersion: version, servers: [] },
    ...{ instance: `guard-${config.site}`, sampleRatio: 0 },
  });
  closing.unshift(state.value);
  closing.push(telemetry);
  return ok({
    ...{ ...opened.value, arbiter: arbiter.value, state: state.value },
    ...{ http, telemetry, log, close },
  });
}

async function openLog(
  config: Config,
  signer: Signer,
  { tenant, deployment }: Manifest,
): Promise<Result<OpenLog, string>> {
  const folder = join(guardFolder(config), "log");
  const disk = openDisk(folder);
  const ledger = await openLedger({
    ...{ disk, signer, clock: systemClock, tenant: config.tenant },
    origin: { instance: "guard", site: config.site, epoch: 0 },
    holdfastVersion: version,
  });
  if (!ledger.ok) return err(`the log in ${folder}: ${ledger.error.detail}`);
  const verifier = noteVerifier(signer.name, signer.publicKey);
  const parts = { ledger: ledger.value, clock: systemClock, site: config.site };
  const guardLog = await GuardLog.open({ ...parts, tenant, deployment }, disk, verifier);
  if (guardLog.ok) return ok({ ledger: ledger.value, guardLog: guardLog.value });
  await ledger.value.close();
  return err(`the log in ${folder}: ${guardLog.error}`);
}

async function openArbiter(
  { arbiter }: FailoverConfig,
  http: HttpTransport,
): Promise<Result<SharedState, string>> {
  const { postgres, etcd, sqlite } = arbiter ?? {};
  let store: Result<Store, string>;
  if (postgres !== undefined) store = PostgresStore.open(postgres.reveal(), "holdfast arbiter");
  else if (etcd !== undefined) store = EtcdStore.open(etcd, http);
  else store = await SqliteStore.open(sqlite ?? "");
  return store.ok ? ok(new SharedState(store.value)) : err(`failover.arbiter: ${store.error}`);
}

/** How far the store of this site has come, by the counts that were witnessed. */
export async function observedIn(
  state: SharedState,
  of: readonly string[],
): Promise<Result<Watermark, string>> {
  if (of.length === 0) return ok(new Map());
  const read = await state.read(of);
  if (!read.ok) return err(`the store of the site: ${read.error.detail}`);
  return ok(
    new Map(
      [...read.value].flatMap(([key, { count }]) =>
        typeof count === "number" ? [[key, count] as const] : [],
      ),
    ),
  );
}
