/** Keeps what a standby compared last, so that it still counts when its guard begins anew after the other site has died. */
import { noteVerifier } from "../../audit/index.ts";
import {
  type Comparison,
  comparisonType,
  openEnvelope,
  type ParityState,
  readComparison,
  signEnvelope,
} from "../../failover/index.ts";
import { err, type JsonObject, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import type { Disk, Signer } from "../../ports.ts";

export const comparisonPath = "comparison.json";

export interface KeptParts {
  readonly disk: Disk;
  readonly signer: Signer;
  readonly of: Pick<ParityState, "deployment" | "tenant" | "site">;
}

export class KeptComparison {
  readonly #parts: KeptParts;

  constructor(parts: KeptParts) {
    this.#parts = parts;
  }

  /** Ok once it is durable. */
  async keep(comparison: Comparison): Promise<Result<void, string>> {
    const { disk, signer } = this.#parts;
    const envelope = signEnvelope(
      comparisonType,
      { ...(comparison as unknown as JsonObject) },
      signer,
    );
    const written = await disk.replace(comparisonPath, Buffer.from(JSON.stringify(envelope)));
    return written.ok
      ? written
      : err(`${comparisonPath} cannot be written (${written.error.code})`);
  }

  /** What was kept last; `undefined`: nothing yet. What this guard has not signed, or is of another site, is an error. */
  async recall(): Promise<Result<Comparison | undefined, string>> {
    const { disk, signer, of } = this.#parts;
    const file = await disk.read(comparisonPath);
    if (!file.ok && file.error.kind === "not_found") return ok(undefined);
    if (!file.ok) return err(`${comparisonPath} cannot be read (${file.error.code})`);
    const parsed = parseJsonStrict(file.value);
    if (!parsed.ok) return err(`${comparisonPath} is no JSON`);
    const verifier = noteVerifier(signer.name, signer.publicKey);
    const opened = openEnvelope(parsed.value, comparisonType, [verifier]);
    if (!opened.ok) return err(`${comparisonPath}: ${opened.error}`);
    const read = readComparison(opened.value.payload, of);
    return read.ok ? read : err(`${comparisonPath}: ${read.error}`);
  }
}
