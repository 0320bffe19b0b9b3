/** A span is counted once, however its trace comes: in parts, late, again, in files that grew, in any order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { batchesOf, type SourceFile } from "../../../../src/adapters/sources/index.ts";
import { Graph, type Traffic } from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";

const at = Date.UTC(2026, 4, 4);

interface Told {
  readonly trace: number;
  readonly span: number;
  readonly parent: number;
  readonly service: string;
  readonly startMs: number;
}

/** `front` is entered, calls `cart`, which does a step of its own, in each of a few traces over two minutes. */
const traces: readonly (readonly Told[])[] = Array.from({ length: 6 }, (_, trace) => {
  const startMs = trace * 20_000;
  const of = (span: number, parent: number, service: string): Told => ({
    ...{ trace, span, parent, service, startMs: startMs + span },
  });
  return [of(1, 0, "front"), of(2, 1, "cart"), of(3, 2, "cart")];
});
const all = traces.flat();

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

function file(path: string, spans: readonly Told[]): SourceFile {
  const resourceSpans = spans.map(({ trace, span, parent, service, startMs }) => ({
    resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
    scopeSpans: [
      {
        spans: [
          {
            ...{ traceId: hex(trace + 1, 32), spanId: hex(span, 16), name: `work ${service}` },
            ...(parent > 0 && { parentSpanId: hex(parent, 16) }),
            startTimeUnixNano: `${BigInt(at + startMs) * 1_000_000n}`,
            endTimeUnixNano: `${BigInt(at + startMs + 10) * 1_000_000n}`,
          },
        ],
      },
    ],
  }));
  return { path, bytes: Buffer.from(JSON.stringify({ resourceSpans })), modifiedAtMs: at };
}

/** One after the other into one model, as `holdfast model ingest` does. */
function ingested(parts: readonly (readonly Told[])[]): readonly Traffic[] {
  const graph = new Graph();
  const counted = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const telling = { windowMs: 60_000, isCounted: (key: string) => counted.has(key) };
    for (const { events, spans } of batchesOf([file(`${index}.json`, part)], undefined, telling)
      .batches) {
      graph.add(events);
      for (const key of spans?.keys ?? []) counted.add(key);
    }
  }
  return graph.latest().traffic();
}

/** How often each operation was called, by window; by whom, where that is asked. */
function counts(traffic: readonly Traffic[], withCaller: boolean): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { at: window, caller, callee, operation, count } of traffic) {
    const key = `${window} ${withCaller ? caller : ""} ${callee} ${operation}`;
    sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}

test("in whatever parts spans come, and however often, each is counted once", () => {
  const whole = ingested([all]);
  const part = fc.subarray([...all], { minLength: 1 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.nat(), (parts, seed) => {
      // What none of them holds comes too, at some place.
      const place = seed % (parts.length + 1);
      const each = parts.toSpliced(place, 0, all);
      expect(counts(ingested(each), false)).toEqual(counts(whole, false));
    }),
    { numRuns: runsOf(150) },
  );
});

test("where traces come whole, it is known too who called, in any order and with repetition", () => {
  const whole = counts(ingested([all]), true);
  const shuffled = fc.shuffledSubarray([...traces, ...traces], { minLength: 2 * traces.length });
  fc.assert(
    fc.property(shuffled, (order) => {
      expect(counts(ingested(order), true)).toEqual(whole);
    }),
    { numRuns: runsOf(60) },
  );
});

test("a file that has grown tells what is new, by who called it", () => {
  const grown = ingested([all.slice(0, 4), all]);
  expect(counts(grown, true)).toEqual(counts(ingested([all]), true));
});

test("two parts that say the same of different spans are two", () => {
  const [one, other] = [traces[0] ?? [], (traces[0] ?? []).map((span) => ({ ...span, trace: 9 }))];
  const sum = counts(ingested([one, other]), true);
  expect(Object.values(sum)).toEqual([2, 2, 2]);
});
