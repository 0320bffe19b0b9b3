/** Builds the guard of one deployment at one site: the process that decides whether agents may act here (AG-403). */
import { timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { childProcessCommands } from "../adapters/child-process/index.ts";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { EtcdStore } from "../adapters/etcd/index.ts";
import { undiciTransport } from "../adapters/http/index.ts";
import { openSigner } from "../adapters/keys/index.ts";
import { pinoLog } from "../adapters/log/index.ts";
import { PostgresStore } from "../adapters/postgres/index.ts";
import { probes } from "../adapters/probes/index.ts";
import { SqliteStore } from "../adapters/sqlite/index.ts";
import { openTelemetry } from "../adapters/telemetry/index.ts";
import {
  encodeVkey,
  type NoteVerifier,
  noteVerifier,
  parseVkey,
  readEntries,
} from "../audit/index.ts";
import type { Config, FailoverConfig } from "../cli/index.ts";
import {
  BreakGlassDesk,
  Guard,
  type GuardFaceParts,
  type GuardParts,
  guardFace,
  keep,
  knownFrom,
  LeaseHolder,
  stepsIn,
  usedNonces,
} from "../control/index.ts";
import {
  componentsAt,
  gateRules,
  leaseKey,
  type Watermark,
  watermarkKey,
} from "../failover/index.ts";
import { type FrontFace, jsonResponse, problemResponse } from "../gateway/index.ts";
import { err, ok, type Result, sha256 } from "../kernel/index.ts";
import { openLedger } from "../ledger/index.ts";
import type { HttpTransport, Signer, Store } from "../ports.ts";
import { SharedState } from "../state/index.ts";
import { listening } from "./listen.ts";
import { complain, stopSignal } from "./process.ts";
import { openSharedState } from "./shared-state.ts";
import { type SiteManifest, siteManifest } from "./site-manifest.ts";
import { version } from "./version.ts";

const stopGraceMs = 1_000;

export function guardFolder({ data }: Pick<Config, "data">): string {
  return join(data, "guard");
}

/** The key that signs permits here. Its vkey belongs into the manifest, as `guard_key` of the site. */
export async function openGuardKey(
  config: Pick<Config, "data" | "site">,
): Promise<Result<Signer, string>> {
  const path = join(guardFolder(config), "keys", "guard.pem");
  const signer = await openSigner(path, `${config.site}.guard.holdfast`);
  return signer.ok ? signer : err(`${signer.error.path}: ${signer.error.detail}`);
}

/** Its verifier key, as the manifest wants it. Throws when the key file cannot be used. */
export async function guardKey(config: Pick<Config, "data" | "site">): Promise<string> {
  const signer = await openGuardKey(config);
  if (!signer.ok) throw new Error(signer.error);
  return encodeVkey(signer.value.name, signer.value.publicKey);
}

/** Resolves with the exit code: 0 after a signal, 1 when it could not start or could not go on. */
export async function runGuard(config: Config): Promise<number> {
  const built = await build(config);
  if (!built.ok) return complain("guard", built.error);
  const { guard, parts, close, rules } = built.value;
  const stop = new AbortController();
  const face = frontOf(built.value.face, stop.signal);
  const server = await listening(built.value.failover.listen, face, { log: parts.log });
  if (!server.ok) {
    await close();
    return complain("guard", server.error);
  }
  parts.log.write("info", "guard_listening", { url: server.value.url, site: parts.site.id });
  const following = Promise.all([
    guard.follow(stop.signal),
    keep(guard, parts, rules, stop.signal),
  ]);
  await Promise.race([stopSignal(), failing(guard)]);
  stop.abort();
  await server.value.close(stopGraceMs);
  await following;
  await close();
  return guard.failed ? 1 : 0;
}

async function failing(guard: Guard): Promise<void> {
  while (!guard.failed) await systemClock.sleep(100);
}

interface Built {
  readonly guard: Guard;
  readonly parts: GuardParts;
  readonly face: GuardFaceParts;
  readonly failover: FailoverConfig;
  readonly rules: { readonly automatic: boolean };
  close(): Promise<void>;
}

async function build(config: Config): Promise<Result<Built, string>> {
  const { failover } = config;
  if (failover?.arbiter === undefined)
    return err("failover.arbiter is missing: where is it decided which site acts?");
  const site = await siteManifest(config, failover);
  if (!site.ok) return site;
  const signer = await guardKeyOf(config, site.value);
  if (!signer.ok) return signer;
  const log = pinoLog({ level: config.log.level, fields: { process: "guard", site: config.site } });
  const http = undiciTransport({ addresses: "not_metadata" });
  const opened = await openLog(config, signer.value);
  if (!opened.ok) return opened;
  const { ledger, steps } = opened.value;
  const arbiter = await openArbiter(failover, http);
  if (!arbiter.ok) return arbiter;
  const state = await openSharedState(config);
  if (!state.ok) return state;
  const telemetry = openTelemetry({
    ...{ serviceName: config.telemetry.service_name, serviceVersion: version, servers: [] },
    ...{ instance: `guard-${config.site}`, sampleRatio: 0 },
  });
  const known = knownFrom(steps);
  const { manifest, digest } = site.value;
  const rules = gateRules(manifest, config.site);
  const lease = new LeaseHolder({
    ...{ arbiter: arbiter.value, clock: systemClock, site: config.site, heldEpoch: known.epoch },
    leaseKey: leaseKey(
      manifest.deployment,
      manifest.tenant,
      manifest.mode === "active_active" ? config.site : undefined,
    ),
    watermarkKey: watermarkKey(manifest.deployment, manifest.tenant),
    lifetimeMs: rules.ttlMs,
  });
  const parts: GuardParts = {
    ...{ manifest, digest, site: site.value.site, deployment: manifest.deployment, rules, lease },
    ...{ ledger, clock: systemClock, entropy: systemEntropy, log, telemetry, known },
    components: componentsAt(manifest, config.site),
    probe: probes({ http, commands: childProcessCommands(), clock: systemClock, env: process.env }),
    commands: childProcessCommands(),
    origin: { instance: "guard", site: config.site, epoch: known.epoch },
    witnessed: () => lease.witnessed(),
    observed: (of) => observed(state.value, of),
  };
  const guard = new Guard(parts);
  const desk = new BreakGlassDesk(
    guard,
    parts,
    peopleOf(manifest.break_glass.keys),
    usedNonces(steps),
  );
  const face = {
    ...parts,
    guard,
    signer: signer.value,
    breakGlass: desk,
    bears: bearing(failover),
  };
  const close = async (): Promise<void> => {
    for (const each of [arbiter.value, state.value, ledger, http, telemetry]) await each.close();
  };
  return ok({ guard, parts, face, failover, rules: failover, close });
}

/** Permits that nobody accepts help nobody: said at the start, with what to do. */
async function guardKeyOf(
  config: Config,
  { guardKey, site }: SiteManifest,
): Promise<Result<Signer, string>> {
  const signer = await openGuardKey(config);
  if (!signer.ok) return signer;
  const own = noteVerifier(signer.value.name, signer.value.publicKey);
  const same = Buffer.from(own.publicKey).equals(Buffer.from(guardKey.publicKey));
  const vkey = encodeVkey(signer.value.name, signer.value.publicKey);
  return same
    ? signer
    : err(`the manifest names another guard_key for ${site.id}; this guard's is ${vkey}`);
}

async function openLog(config: Config, signer: Signer) {
  const folder = join(guardFolder(config), "log");
  const ledger = await openLedger({
    ...{ disk: openDisk(folder), signer, clock: systemClock, tenant: config.tenant },
    origin: { instance: "guard", site: config.site, epoch: 0 },
    holdfastVersion: version,
  });
  if (!ledger.ok) return err(`the log in ${folder}: ${ledger.error.detail}`);
  const entries = await readEntries(
    openDisk(folder),
    noteVerifier(signer.name, signer.publicKey),
    0,
  );
  if (!entries.ok) return err(`the log in ${folder}: ${entries.error}`);
  return ok({ ledger: ledger.value, steps: stepsIn(entries.value) });
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
async function observed(
  state: SharedState,
  of: readonly string[],
): Promise<Result<Watermark, string>> {
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

function peopleOf(keys: readonly string[]): readonly NoteVerifier[] {
  return keys.flatMap((key) => {
    const parsed = parseVkey(key);
    return parsed.ok ? [parsed.value] : [];
  });
}

function bearing({ token }: FailoverConfig): (authorization: string | undefined) => boolean {
  // Digests are of one length, so that comparing tells nothing of how much was right.
  return (given = "") => timingSafeEqual(sha256(given), sha256(`Bearer ${token.reveal()}`));
}

function frontOf(parts: GuardFaceParts, ending: AbortSignal): FrontFace {
  return async (request) => {
    if (request.path === "/livez") return jsonResponse(200, { live: true });
    const signal = AbortSignal.any([request.signal, ending]);
    return (
      (await guardFace(parts, request, signal)) ??
      problemResponse(404, "Not found", `The guard answers nothing at ${request.path}.`)
    );
  };
}
