/** Eight characters that bind an answer in words to what was shown: this approval, this version, these arguments. */
import { sha256Hex } from "../../kernel/index.ts";
import type { BoundAnswer } from "../../ports.ts";

export function answerCode({ approval, version, argsDigest }: BoundAnswer): string {
  return sha256Hex(JSON.stringify([approval, version, argsDigest])).slice(0, 8);
}
