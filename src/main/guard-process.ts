/** The process that decides whether agents may act at this site (AG-403). */

import { systemClock } from "../adapters/clock/index.ts";
import type { Config } from "../cli/index.ts";
import { type Guard, type GuardFaceParts, guardFace, keep } from "../control/index.ts";
import { type FrontFace, jsonResponse, problemResponse } from "../gateway/index.ts";
import { buildGuard } from "./guard-build.ts";
import { openDoors } from "./guard-doors.ts";
import { listening } from "./listen.ts";
import { complain, stopSignal } from "./process.ts";
import { SiteManifests } from "./site-manifest.ts";

const stopGraceMs = 1_000;
const manifestPollMs = 1_000;

/** Resolves with the exit code: 0 after a signal, 1 when it could not start or could not go on. */
export async function runGuard(config: Config): Promise<number> {
  const { failover } = config;
  if (failover === undefined) return complain("guard", "the configuration has no `failover:`");
  const manifests = await SiteManifests.open(config, failover);
  let ended = false;
  const signalled = stopSignal().then(() => {
    ended = true;
  });
  // A new manifest is a new guard: fenced, and validated by what the manifest says now.
  while (!ended) {
    const code = await runOnce(config, manifests, signalled);
    if (code !== 0) return code;
  }
  return 0;
}

async function runOnce(
  config: Config,
  manifests: SiteManifests,
  signalled: Promise<void>,
): Promise<number> {
  const built = await buildGuard(config, manifests);
  if (!built.ok) return complain("guard", built.error);
  const { guard, parts, parityWatch, failover, close } = built.value;
  const stop = new AbortController();
  const face = frontOf(built.value.face, stop.signal);
  const server = await listening(failover.listen, face, { log: parts.log });
  if (!server.ok) {
    await close();
    return complain("guard", server.error);
  }
  const doors = await openDoors(failover, guard, parts, stop.signal);
  if (!doors.ok) {
    await server.value.close(stopGraceMs);
    await close();
    return complain("guard", doors.error);
  }
  parts.log.write("info", "guard_listening", { url: server.value.url, site: parts.site.id });
  const following = Promise.all([
    guard.follow(stop.signal),
    keep(guard, parts, failover, stop.signal),
    parityWatch.follow(stop.signal),
  ]);
  await Promise.race([signalled, overWith(manifests, guard, parts.digest, stop.signal)]);
  stop.abort();
  await server.value.close(stopGraceMs);
  await following;
  await doors.value.close();
  await close();
  return guard.failed ? 1 : 0;
}

/** Resolves when the guard has failed, or another manifest that is right lies there. */
async function overWith(
  manifests: SiteManifests,
  guard: Guard,
  digest: string,
  signal: AbortSignal,
): Promise<void> {
  for (let looked = 0; !guard.failed && !signal.aborted; looked += failedPollMs) {
    await systemClock.sleep(failedPollMs, signal);
    if (looked % manifestPollMs !== 0) continue;
    const found = await manifests.read();
    if (found.ok && found.value.digest !== digest) return;
  }
}

const failedPollMs = 100;

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
