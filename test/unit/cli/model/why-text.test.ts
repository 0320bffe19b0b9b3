import { expect, test } from "vitest";
import { whyText } from "../../../../src/cli/model/why-text.ts";
import { answer, symptom } from "../../model/picture/chain.ts";

test("the chain stands first, then what speaks for it, what else, and what is ruled out", () => {
  expect(
    whyText(answer, symptom),
  ).toBe(`service:front errors at 2026-05-04T10:12:00.000Z: config:shop/pool
  a configuration value was changed to one that fails (change.config), 93 % sure, since 2026-05-04T10:05:00.000Z
  brought by deploy:shop-42

how it came here
  deploy:shop-42
  └ changed_by: config:shop/pool  (it set pool.max from 20 to 1)
    └ configured_by: service:cart  (cart reads it)
      └ calls: service:front  (its calls wait)

what speaks for it
  for     service:cart: waits 900 ms, was 3 ms  [otlp trace 1]

it could also be
    4 %  service:payment: code is slower than it was, without a known reason (code.latency)

ruled out
  deploy:ads-7: front does not reach ads
`);
});

test("no cause, and not enough to name one, are said as such", () => {
  expect(whyText({ ...answer, verdict: "none", causes: [] }, symptom)).toContain(
    "nothing deviates",
  );
  expect(whyText({ ...answer, verdict: "insufficient", causes: [] }, symptom)).toContain(
    "insufficient evidence, no cause is named",
  );
  expect(whyText({ ...answer, verdict: "insufficient" }, symptom)).toContain(
    "closest is config:shop/pool",
  );
});

test("names that would move the cursor are made visible", () => {
  const text = whyText(answer, { ...symptom, node: "service:\u001b[2Jx\u202e" });
  expect(text.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
});
