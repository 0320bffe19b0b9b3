/**
 * `audit_canary`: a decision about a nonce goes through the gateway's own pipeline, and is read back from where its log is kept for
 * good: signed, at its place in the tree, and in a tree that continues the one the gateway vouched for (AG-403 4.4).
 */
import {
  type Checkpoint,
  checkpointPath,
  decodeEntry,
  type LogFiles,
  leafHash,
  type NoteVerifier,
  openCheckpoint,
  parseVkey,
  readBundle,
  readConsistencyProof,
  readInclusionProof,
  verifyConsistency,
  verifyInclusion,
  verifyReceipt,
} from "../../audit/index.ts";
import type { AuditCanary } from "../../failover/index.ts";
import { digestOf, err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import { openDisk } from "../disk/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { type Evaluated, evaluate } from "./evaluation.ts";
import { logAt } from "./log-at.ts";

const pollMs = 100;
const bundleWidth = 256;

interface Recorded {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly site: string;
  /** Of the gateway's receipt. */
  readonly vouched: Checkpoint;
}

export async function auditCanary(asking: Asking<AuditCanary>): Promise<Found> {
  const { verification, question, secrets } = asking;
  const { gateway_url: gatewayUrl, agent, tool, repository } = verification;
  const verifier = parseVkey(verification.log_key);
  if (!verifier.ok) return inconclusive(`log_key: ${verifier.error}`);
  const token = await secrets.read(verification.token);
  const args = { holdfast_canary: question.nonce };
  const asked = await evaluate(asking, { gatewayUrl, token, agent, tool, args });
  if (!asked.ok) return inconclusive(asked.error);
  if (asked.value.refusal === "record_failed")
    return fail("the gateway cannot record: a decision could not be made durable");
  const recorded = recordedBy(asked.value, verifier.value, args);
  if (!recorded.ok) return fail(recorded.error);
  const files = /^https?:/.test(repository) ? logAt(asking, repository) : openDisk(repository);
  return await readBack(asking, files, verifier.value, recorded.value);
}

/** The entry of the receipt: ours by its call and the digest of the nonce. */
function recordedBy(
  answer: Evaluated,
  verifier: NoteVerifier,
  args: JsonObject,
): Result<Recorded, string> {
  if (answer.receipt === undefined)
    return err(`the gateway gives no receipt (${answer.refusal ?? answer.outcome})`);
  const proven = verifyReceipt(answer.receipt, verifier);
  if (!proven.ok) return err(`the receipt does not verify with log_key: ${proven.error}`);
  const { index, entry: leaf, checkpoint } = proven.value;
  const entry = decodeEntry(leaf);
  const isOurs =
    entry.ok &&
    entry.value.kind === "decision" &&
    entry.value.call === answer.callId &&
    entry.value.args_digest === digestOf(args);
  if (!isOurs) return err("the receipt is not that of the canary");
  return ok({ index, leaf, site: entry.value.site, vouched: checkpoint });
}

/** What stands in the way is waited out until time is up: then it is what was seen last. */
async function readBack(
  asking: Asking<AuditCanary>,
  files: LogFiles,
  verifier: NoteVerifier,
  recorded: Recorded,
): Promise<Found> {
  const { question, clock, signal } = asking;
  const startedMs = clock.monotonicMs();
  let last: Looked = { kind: "unread", why: "it was not read" };
  while (!signal.aborted) {
    const looked = await look(files, verifier, recorded);
    // What an abort cut off is no news of the repository.
    if (!signal.aborted || looked.kind === "there") last = looked;
    if (last.kind === "there" || last.kind === "wrong") break;
    await clock.sleep(pollMs, signal);
  }
  const { index, site } = recorded;
  const waitedMs = Math.round(clock.monotonicMs() - startedMs);
  const size = "size" in last ? { tree_size: last.size } : {};
  const more = {
    observed: { index, waited_ms: waitedMs, ...size },
    echo: { site, nonce: question.nonce },
  };
  if (last.kind === "there")
    return pass(`entry ${index} is in the repository, proven in its tree of ${last.size}`, more);
  if (last.kind === "wrong") return fail(last.why, more);
  if (signal.aborted && !asking.isTimeUp()) return inconclusive("it was told to stop", more);
  if (last.kind === "unread") return inconclusive(`the repository: ${last.why}`, more);
  return fail(
    `entry ${index} did not reach the repository within ${question.timeoutMs} ms: ${last.why}`,
    more,
  );
}

type Looked =
  | { readonly kind: "there"; readonly size: number }
  /** It cannot become right by waiting. */
  | { readonly kind: "wrong"; readonly why: string }
  | { readonly kind: "missing"; readonly why: string; readonly size: number }
  | { readonly kind: "unread"; readonly why: string };

async function look(files: LogFiles, verifier: NoteVerifier, recorded: Recorded): Promise<Looked> {
  const file = await files.read(checkpointPath);
  if (!file.ok) return { kind: "unread", why: `${checkpointPath}: ${file.error.code}` };
  const opened = openCheckpoint(Buffer.from(file.value).toString(), verifier);
  if (!opened.ok) return { kind: "wrong", why: `the repository's checkpoint: ${opened.error}` };
  const { size } = opened.value;
  if (size <= recorded.index) return { kind: "missing", why: `its tree has ${size} entries`, size };
  const continued = await continues(files, recorded.vouched, opened.value);
  if (!continued.ok) return { kind: "missing", why: continued.error, size };
  if (!continued.value)
    return { kind: "wrong", why: "the repository does not continue the log of the gateway" };
  const included = await includes(files, recorded, opened.value);
  if (!included.ok) return { kind: "missing", why: included.error, size };
  if (included.value) return { kind: "there", size };
  return { kind: "wrong", why: `entry ${recorded.index} of the repository is another one` };
}

/** One tree is the beginning of the other, whichever was seen first. */
async function continues(
  files: LogFiles,
  a: Checkpoint,
  b: Checkpoint,
): Promise<Result<boolean, string>> {
  const [one, two] = a.size <= b.size ? [a, b] : [b, a];
  // Only the gateway has the tiles of a tree that the repository has not reached.
  if (two.size > b.size) return ok(true);
  const proof = await readConsistencyProof(files, one.size, two.size);
  if (!proof.ok) return proof;
  const [first, second] = [one.size, two.size];
  const roots = { firstRoot: one.rootHash, secondRoot: two.rootHash };
  return ok(verifyConsistency({ first, second, ...roots, proof: proof.value }));
}

async function includes(
  files: LogFiles,
  { index, leaf }: Recorded,
  { size, rootHash: root }: Checkpoint,
): Promise<Result<boolean, string>> {
  const at = Math.floor(index / bundleWidth);
  const bundle = await readBundle(files, at, Math.min(bundleWidth, size - at * bundleWidth));
  if (!bundle.ok) return bundle;
  const proof = await readInclusionProof(files, index, size);
  if (!proof.ok) return proof;
  const kept = bundle.value[index % bundleWidth];
  if (kept === undefined || Buffer.compare(kept, leaf) !== 0) return ok(false);
  return ok(verifyInclusion({ index, size, leaf: leafHash(kept), root, proof: proof.value }));
}
