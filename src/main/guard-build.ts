/** Builds the guard of one deployment at one site. */
import { timingSafeEqual } from "node:crypto";
import { childProcessCommands } from "../adapters/child-process/index.ts";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { probes } from "../adapters/probes/index.ts";
import { type NoteVerifier, parseVkey } from "../audit/index.ts";
import type { Config, FailoverConfig } from "../cli/index.ts";
import {
  BreakGlassDesk,
  Guard,
  type GuardFaceParts,
  type GuardParts,
  KeptComparison,
  LeaseHolder,
  ParityWatch,
} from "../control/index.ts";
import {
  componentsAt,
  gateRules,
  leaseKey,
  ledgerMark,
  type Manifest,
  recordGauges,
  type Watermark,
  watermarkKey,
} from "../failover/index.ts";
import { err, ok, type Result, sha256 } from "../kernel/index.ts";
import type { Signer } from "../ports.ts";
import { guardFolder, guardKeyOf } from "./guard-key.ts";
import { type GuardWorld, observedIn, openGuardWorld } from "./guard-world.ts";
import { keptLogs, keptSizes } from "./observed-logs.ts";
import { parityFiles } from "./parity-files.ts";
import { askParity, fileAt, synchronised } from "./parity-sync.ts";
import type { SiteManifest, SiteManifests } from "./site-manifest.ts";

export interface BuiltGuard {
  readonly guard: Guard;
  readonly parts: GuardParts;
  readonly face: GuardFaceParts;
  readonly failover: FailoverConfig;
  readonly parityWatch: ParityWatch;
  close(): Promise<void>;
}

/** The error is a sentence for the operator. */
export async function buildGuard(
  config: Config,
  manifests: SiteManifests,
): Promise<Result<BuiltGuard, string>> {
  const { failover } = config;
  if (failover?.arbiter === undefined)
    return err("failover.arbiter is missing: where is it decided which site acts?");
  const site = await manifests.read();
  if (!site.ok) return site;
  const signer = await guardKeyOf(config, site.value);
  if (!signer.ok) return signer;
  const world = await openGuardWorld(config, failover, signer.value, site.value.manifest);
  if (!world.ok) return world;
  const built = assembled(config, failover, site.value, signer.value, world.value);
  await built.parityWatch.recall();
  return ok(built);
}

function assembled(
  config: Config,
  failover: FailoverConfig,
  { manifest, digest, site }: SiteManifest,
  signer: Signer,
  world: GuardWorld,
): BuiltGuard {
  const { guardLog, http, telemetry } = world;
  const { known } = guardLog.history;
  const rules = gateRules(manifest, config.site);
  const { deployment, tenant, mode } = manifest;
  const lease = new LeaseHolder({
    ...{ arbiter: world.arbiter, clock: systemClock, site: config.site, heldEpoch: known.epoch },
    leaseKey: leaseKey(deployment, tenant, mode === "active_active" ? config.site : undefined),
    watermarkKey: watermarkKey(deployment, tenant),
    lifetimeMs: rules.ttlMs,
  });
  const commands = childProcessCommands();
  const parts: GuardParts = {
    ...{ manifest, digest, site, deployment, rules, lease, known, commands },
    ...{
      clock: systemClock,
      entropy: systemEntropy,
      guardLog,
      log: world.log,
      telemetry,
    },
    components: componentsAt(manifest, config.site),
    probe: probes({
      ...{ http, commands, clock: systemClock, env: process.env },
      parity: {
        own: (nonce) => parityWatch.state(nonce),
        sites: manifest.sites.flatMap(({ id, guard_url: guardUrl, guard_key: vkey }) =>
          id === config.site ? [] : keysOf([vkey]).map((key) => ({ site: id, guardUrl, key })),
        ),
      },
    }),
    witnessed: () => lease.witnessed(),
    observed: (of) => observedAt(manifest, world, of),
    parity: () => parityWatch.verdict(),
    acts: () => lease.seen?.site === config.site && lease.seen.verdict !== null,
  };
  const parityWatch = new ParityWatch({
    ...parts,
    kept: new KeptComparison({
      ...{ disk: openDisk(guardFolder(config)), signer },
      of: { deployment, tenant, site: config.site },
    }),
    files: () => parityFiles(failover.parity_files),
    ask: (url, nonce) => askParity(http, url, nonce),
    guardKey: (id) =>
      keysOf(manifest.sites.flatMap((each) => (each.id === id ? [each.guard_key] : [])))[0],
    synchronise: (from, drifts) => synchronised(http, failover, from, drifts),
  });
  const guard = new Guard(parts);
  const people = keysOf(manifest.break_glass.keys);
  const breakGlass = new BreakGlassDesk(guard, parts, people);
  const face: GuardFaceParts = {
    ...{ ...parts, guard, signer, breakGlass, parityWatch, bears: bearing(failover) },
    metrics: async () => {
      guard.tellTimes();
      countRecords(world, manifest);
      return (await telemetry.metrics()).text;
    },
    file: (name) => fileAt(failover, name),
  };
  return { guard, parts, face, failover, parityWatch, close: world.close };
}

/** What the records say is computed when it is asked for, so that a restart forgets nothing of it. */
function countRecords({ guardLog, telemetry }: GuardWorld, manifest: Manifest): void {
  const now = systemClock.wallMs();
  for (const { name, labels, value } of recordGauges(guardLog.history.records, manifest, now))
    telemetry.gauge(name, labels, value);
}

/** The store of the site by its own counts, and the logs where they are kept. */
async function observedAt(
  manifest: Manifest,
  { state, http }: GuardWorld,
  of: readonly string[],
): Promise<Result<Watermark, string>> {
  const stored = await observedIn(
    state,
    of.filter((each) => !each.startsWith(ledgerMark)),
  );
  if (!stored.ok) return stored;
  const logs = await keptSizes(keptLogs(manifest), http);
  return ok(
    new Map([
      ...stored.value,
      ...[...logs].map(([origin, size]) => [ledgerMark + origin, size] as const),
    ]),
  );
}

function keysOf(keys: readonly string[]): readonly NoteVerifier[] {
  return keys.flatMap((key) => {
    const parsed = parseVkey(key);
    return parsed.ok ? [parsed.value] : [];
  });
}

function bearing({ token }: FailoverConfig): (authorization: string | undefined) => boolean {
  // Digests are of one length, so that comparing tells nothing of how much was right.
  return (given = "") => timingSafeEqual(sha256(given), sha256(`Bearer ${token.reveal()}`));
}
