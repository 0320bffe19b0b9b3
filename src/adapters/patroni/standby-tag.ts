/**
 * Takes a standby out of the race while it is not what the primary is, by Patroni's tag `nofailover`, and puts it back. Patroni
 * reads all files of its configuration folder in the order of their names; one of them is ours alone.
 */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { err, isJsonObject, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import { type Clock, type HttpTransport, TransportFailure } from "../../ports.ts";

export interface StandbyTagParts {
  /** Patroni's configuration folder. */
  readonly folder: string;
  readonly http: HttpTransport;
  readonly clock: Clock;
  /** Of Patroni's REST API: `http://127.0.0.1:8008`. */
  readonly apiUrl: string;
  /** `Basic …`, where the API asks for it. */
  readonly authorization?: string;
}

const file = "zz-holdfast.yml";
const answerTimeoutMs = 2_000;
/** Patroni takes a reloaded tag over in its next round (`loop_wait`, 10 s by default). */
const takenOverWithinMs = 15_000;
const bodyBytesMax = 1024 * 1024;

/**
 * Ok only when Patroni itself says that it goes by the tag. The error is a sentence; the file then says what was wanted, and
 * the next reload takes it over.
 */
export async function tagStandby(
  parts: StandbyTagParts,
  outOfRace: boolean,
): Promise<Result<void, string>> {
  const text = `# Written by Holdfast.\ntags:\n  nofailover: ${outOfRace}\n`;
  const path = join(parts.folder, file);
  try {
    // Patroni runs as another user. Under another ending it does not read it half written.
    await writeFile(`${path}.new`, text, { mode: 0o644 });
    await rename(`${path}.new`, path);
  } catch (thrown) {
    return err(`${path} cannot be written: ${String(thrown)}`);
  }
  const reloaded = await ask(parts, "POST", "/reload");
  if (!reloaded.ok) return reloaded;
  const deadline = parts.clock.monotonicMs() + takenOverWithinMs;
  while ((await tagOf(parts)) !== outOfRace) {
    if (parts.clock.monotonicMs() > deadline)
      return err(`Patroni has not taken nofailover: ${outOfRace} over; is ${file} in its folder?`);
    await parts.clock.sleep(200);
  }
  return ok(undefined);
}

/** Whether Patroni says that this node stands back; undefined when it does not answer. */
async function tagOf(parts: StandbyTagParts): Promise<boolean | undefined> {
  const answer = await ask(parts, "GET", "/patroni");
  if (!answer.ok) return undefined;
  const parsed = parseJsonStrict(answer.value, { unsafeNumbers: "nearest" });
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const tags = parsed.value["tags"];
  return isJsonObject(tags) && tags["nofailover"] === true;
}

async function ask(
  { http, apiUrl, authorization }: StandbyTagParts,
  method: string,
  path: string,
): Promise<Result<Uint8Array, string>> {
  const sent = await http.send({
    ...{ method, url: apiUrl + path },
    headers: authorization === undefined ? {} : { authorization },
    ...{ headTimeoutMs: answerTimeoutMs, idleTimeoutMs: answerTimeoutMs },
  });
  if (!sent.ok) return err(`Patroni at ${apiUrl}${path}: ${sent.error.detail}`);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of sent.value.body) {
      bytes += piece.length;
      if (bytes > bodyBytesMax) return err(`Patroni at ${apiUrl}${path}: its answer is too large`);
      pieces.push(piece);
    }
  } catch (thrown) {
    if (!(thrown instanceof TransportFailure)) throw thrown;
    return err(`Patroni at ${apiUrl}${path}: ${thrown.error.detail}`);
  }
  const { status } = sent.value;
  // `/patroni` says 503 of a node that is not running, with the same body; `/reload` says 202.
  return method === "GET" || status < 300
    ? ok(Buffer.concat(pieces))
    : err(`Patroni at ${apiUrl}${path} answered with status ${status}`);
}
