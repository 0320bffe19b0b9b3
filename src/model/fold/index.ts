export { type FoldedSpans, foldSpans, type SpanFolding } from "./fold-spans.ts";
export { quantilesOf } from "./quantiles.ts";
export type { Span, SpanFaults } from "./span.ts";
