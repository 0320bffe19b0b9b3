/** Drills of one folder: one at a time, and what a dead engine left is rolled back before anything else. */
import { noteVerifier } from "../../audit/index.ts";
import { type Manifest, readExperiment } from "../../failover/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { type ClosedDrill, settleDrill } from "./close.ts";
import { openJournal } from "./journals.ts";
import { type OpenDrill, readOpenDrill } from "./open-drill.ts";
import type { DrillParts, DrillRefusal, DrillRequest } from "./parts.ts";
import { DrillRun, runDrill } from "./run.ts";

export interface Recovery {
  readonly manifest: Manifest;
  /** Where secrets of an open drill are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const lockPath = "lock";

/** Rolls back what is open, then runs the drill. */
export function drill(
  parts: DrillParts,
  request: DrillRequest,
  recovery: Recovery,
): Promise<Result<ClosedDrill, DrillRefusal>> {
  return alone(parts, async () => {
    const recovered = await recover(parts, recovery);
    return recovered.ok ? runDrill(parts, request) : recovered;
  });
}

/** Rolls back a drill whose engine died, or that could not be restored. `undefined`: none was open. */
export function rollBackOpenDrill(
  parts: DrillParts,
  recovery: Recovery,
): Promise<Result<ClosedDrill | undefined, DrillRefusal>> {
  return alone(parts, () => recover(parts, recovery));
}

async function alone<T>(
  { disk }: DrillParts,
  act: () => Promise<Result<T, DrillRefusal>>,
): Promise<Result<T, DrillRefusal>> {
  const lock = await disk.lock(lockPath);
  if (!lock.ok) return err({ kind: "busy", because: ["another drill is under way here"] });
  try {
    return await act();
  } finally {
    await lock.value.release();
  }
}

function stuck(...because: readonly string[]): Result<never, DrillRefusal> {
  return err({ kind: "stuck", because });
}

async function recover(
  parts: DrillParts,
  recovery: Recovery,
): Promise<Result<ClosedDrill | undefined, DrillRefusal>> {
  const open = await readOpenDrill(parts.disk);
  if (!open.ok) return stuck(open.error);
  if (open.value === undefined) return ok(undefined);
  const settled = await settleWritten(parts, open.value);
  if (!settled.ok || settled.value !== undefined) return settled;
  parts.tell(`${open.value.drill} was left open: rolling back first`);
  const experiment = readExperiment(open.value.experiment, {
    variables: open.value.variables,
    environment: recovery.environment,
  });
  if (!experiment.ok)
    return stuck(
      `${open.value.drill} cannot be rolled back:`,
      ...experiment.error.map(({ path, message }) => `${path.join(".")}: ${message}`),
    );
  const request: DrillRequest = {
    experiment: experiment.value,
    manifest: recovery.manifest,
    manifestDigest: open.value.manifest_digest,
    variables: open.value.variables,
    allowReady: true,
    signal: new AbortController().signal,
  };
  const closed = await new DrillRun(parts, request, open.value).after(true);
  if (!closed.ok || closed.value.journal.holdfast.state.restored) return closed;
  return stuck(
    `${open.value.drill} was rolled back, and the state is still not what it was before`,
    `look at ${closed.value.path}, repair by hand, then: holdfast failover drill rollback`,
  );
}

/**
 * It was rolled back and written down, and the engine died before all of the rest. Its end is recorded again: the same
 * twice is harmless, none at all is not. `undefined`: there is no journal yet, or one that says it was not restored.
 */
async function settleWritten(
  parts: DrillParts,
  open: OpenDrill,
): Promise<Result<ClosedDrill | undefined, DrillRefusal>> {
  const path = `journals/${open.drill}.json`;
  const written = open.closed ? undefined : await parts.disk.read(path);
  if (!written?.ok) return ok(undefined);
  const own = noteVerifier(parts.signer.name, parts.signer.publicKey);
  const journal = openJournal(written.value, [own]);
  if (!journal.ok) return stuck(`${path}: ${journal.error}`);
  return settleDrill(parts, open, journal.value, written.value);
}
