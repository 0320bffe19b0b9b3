/**
 * A drill that is under way, durable before its first action: whoever starts next finds it and rolls back first.
 */
import type {
  ActivityRun,
  ControlFinding,
  Look,
  ProofFinding,
  SteadyState,
} from "../../failover/index.ts";
import {
  canonicalJson,
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { Disk } from "../../ports.ts";

export interface OpenDrill {
  readonly format: "holdfast.open-drill/v1";
  readonly drill: string;
  readonly tenant: string;
  readonly manifest_digest: string;
  /** Variables not filled in: secrets are read anew. */
  readonly experiment: JsonObject;
  readonly variables: Readonly<Record<string, JsonValue>>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly started_ms: number;
  readonly log_index: number | null;
  readonly state_before: string | null;
  readonly controls: readonly ControlFinding[];
  readonly proof: readonly ProofFinding[];
  readonly looks: readonly Look[];
  readonly steady_before: SteadyState | null;
  readonly steady_after: SteadyState | null;
  readonly run: readonly ActivityRun[];
  /** Its journal is written already; only the state is not restored yet. */
  readonly closed: boolean;
}

const openPath = "open.json";
const openLimits = { bytesMax: 64 * 1024 * 1024, depthMax: 80 };

export async function writeOpenDrill(disk: Disk, open: OpenDrill): Promise<Result<void, string>> {
  const bytes = Buffer.from(canonicalJson(open as unknown as JsonObject));
  const written = await disk.replace(openPath, bytes);
  return written.ok ? written : err(`${openPath} cannot be written (${written.error.code})`);
}

/** `undefined`: none is open. One that cannot be read is an error: something may be broken that nobody rolled back. */
export async function readOpenDrill(disk: Disk): Promise<Result<OpenDrill | undefined, string>> {
  const file = await disk.read(openPath);
  if (!file.ok)
    return file.error.kind === "not_found"
      ? ok(undefined)
      : err(`${openPath} cannot be read (${file.error.code})`);
  const parsed = parseJsonStrict(file.value, openLimits);
  if (!parsed.ok || !isJsonObject(parsed.value))
    return err(`${openPath} is no JSON object; look what it was about, then remove it`);
  if (parsed.value["format"] !== "holdfast.open-drill/v1")
    return err(`${openPath} was written by another version; roll back with that one`);
  return ok(parsed.value as unknown as OpenDrill);
}

export async function forgetOpenDrill(disk: Disk): Promise<Result<void, string>> {
  const removed = await disk.remove(openPath);
  if (removed.ok || removed.error.kind === "not_found") return ok(undefined);
  return err(`${openPath} cannot be removed (${removed.error.code})`);
}
