/** What the newest validation has shown, for the record and for people. */
import type { ProbeAnswer, ResidencyFinding, WatermarkFinding } from "../../failover/index.ts";
import type { BuiltInFindings } from "./built-in.ts";

export interface NewestEvidence {
  readonly round: number;
  readonly sinceMs: number;
  readonly answers: readonly ProbeAnswer[];
  readonly residency: readonly ResidencyFinding[];
  readonly watermark: readonly WatermarkFinding[];
}

export class Evidence {
  #round = 0;
  #sinceMs = 0;
  readonly #answers = new Map<string, ProbeAnswer>();
  #residency: BuiltInFindings["residency"] = [];
  #watermark: BuiltInFindings["watermark"] = [];

  /** Several times for one round, as dependencies are met. */
  begin(round: number, nowMs: number): void {
    if (round === this.#round) return;
    this.#round = round;
    this.#sinceMs = nowMs;
    this.#answers.clear();
  }

  answered(round: number, answer: ProbeAnswer): void {
    if (round === this.#round) this.#answers.set(answer.component, answer);
  }

  found({ residency, watermark }: BuiltInFindings): void {
    this.#residency = residency ?? this.#residency;
    this.#watermark = watermark ?? this.#watermark;
  }

  get newest(): NewestEvidence {
    return {
      round: this.#round,
      sinceMs: this.#sinceMs,
      answers: [...this.#answers.values()].sort((a, b) => (a.component < b.component ? -1 : 1)),
      residency: this.#residency ?? [],
      watermark: this.#watermark ?? [],
    };
  }
}
