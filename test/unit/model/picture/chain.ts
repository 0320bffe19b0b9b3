/** A bad default that a deploy brought: deploy → configuration → client → front end. */
import type { Symptom, WhyAnswer } from "../../../../src/model/index.ts";

const origin = { source: "otlp", reference: "trace 1" };

export const symptom: Symptom = {
  at: Date.UTC(2026, 4, 4, 10, 12),
  node: "service:front",
  signal: "errors",
};

export const answer: WhyAnswer = {
  verdict: "cause",
  causes: [
    {
      node: "config:shop/pool",
      kind: "change.config",
      change: "deploy:shop-42",
      confidence: 0.93,
      onsetAt: Date.UTC(2026, 4, 4, 10, 5),
      path: [
        {
          from: "deploy:shop-42",
          to: "config:shop/pool",
          edge: "changed_by",
          because: "it set pool.max from 20 to 1",
        },
        {
          from: "config:shop/pool",
          to: "service:cart",
          edge: "configured_by",
          because: "cart reads it",
        },
        {
          from: "service:cart",
          to: "service:front",
          edge: "calls",
          because: "its calls wait",
        },
      ],
      evidence: [{ node: "service:cart", says: "waits 900 ms, was 3 ms", weight: 4, origin }],
      remembered: [],
    },
    {
      node: "service:payment",
      kind: "code.latency",
      confidence: 0.04,
      onsetAt: null,
      path: [{ from: "service:payment", to: "service:front", edge: "calls", because: "slower" }],
      evidence: [],
      remembered: [],
    },
  ],
  ruledOut: [{ node: "deploy:ads-7", because: "front does not reach ads" }],
  checkNext: [],
};
