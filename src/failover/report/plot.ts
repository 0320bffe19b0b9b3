/**
 * Governance recovery time over time as an SVG: one mark for each failover, the objective as a line. Colours are CSS
 * variables of the page, so that it follows light and dark; what the picture says stands beside it as a table.
 */
import { instantMs } from "../../kernel/index.ts";
import type { GrtPoint } from "../evidence/index.ts";
import { html } from "./html-text.ts";

const width = 720;
const height = 260;
const left = 56;
const right = 16;
const top = 16;
const bottom = 40;

export function grtPlot(points: readonly GrtPoint[]): string {
  const measured = points.filter(({ grt_ms }) => grt_ms !== null);
  const summary = summaryOf(points);
  const open = `<svg role="img" aria-labelledby="grt-title grt-summary" viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg"><title id="grt-title">Governance recovery time of each failover</title><desc id="grt-summary">${html(summary)}</desc>`;
  if (measured.length === 0)
    return `${open}<text class="label" x="${left}" y="${height / 2}">${html(summary)}</text></svg>`;
  const times = measured.map(({ initiated }) => instantMs(initiated) ?? 0);
  const first = Math.min(...times);
  const span = Math.max(1, Math.max(...times) - first);
  const most = Math.max(...points.flatMap(({ grt_ms, grto_ms }) => [grt_ms ?? 0, grto_ms]));
  const scale = niceSeconds(most / 1_000);
  const x = (at: number): number => round(left + ((at - first) / span) * (width - left - right));
  const y = (ms: number): number =>
    round(height - bottom - (ms / 1_000 / scale) * (height - top - bottom));
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * scale * 1_000);
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/><text class="label" x="${left - 8}" y="${at + 4}" text-anchor="end">${round(part * scale)} s</text>`;
  });
  const objective = y(measured.at(-1)?.grto_ms ?? 0);
  const marks = measured.map((point, i) => mark(point, x(times[i] ?? 0), y(point.grt_ms ?? 0)));
  const dates = [measured[0], measured.at(-1)].map((point, i) => {
    const anchor = i === 0 ? "start" : "end";
    return `<text class="label" x="${i === 0 ? left : width - right}" y="${height - 14}" text-anchor="${anchor}">${html(point?.initiated.slice(0, 10) ?? "")}</text>`;
  });
  return [
    open,
    ...grid,
    `<line class="objective" x1="${left}" x2="${width - right}" y1="${objective}" y2="${objective}"/>`,
    `<text class="label" x="${width - right}" y="${objective - 6}" text-anchor="end">objective</text>`,
    ...marks,
    ...dates,
    "</svg>",
  ].join("");
}

/** Shape and colour both say whether it was within the objective. */
function mark({ failover, grt_ms, grto_ms }: GrtPoint, x: number, y: number): string {
  const title = `<title>${html(failover)}: ${(grt_ms ?? 0) / 1_000} s</title>`;
  return (grt_ms ?? 0) <= grto_ms
    ? `<circle class="good" cx="${x}" cy="${y}" r="5">${title}</circle>`
    : `<path class="bad" d="M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x + 6} ${y - 6}L${x - 6} ${y + 6}">${title}</path>`;
}

function summaryOf(points: readonly GrtPoint[]): string {
  const measured = points.filter(({ grt_ms }) => grt_ms !== null);
  const late = measured.filter(({ grt_ms, grto_ms }) => (grt_ms ?? 0) > grto_ms).length;
  return measured.length === 0
    ? "No governance recovery was measured yet."
    : `${measured.length} of ${points.length} failovers measured; ${late} took longer than the objective.`;
}

/** The next of 1, 2, 5, 10, 20, … that is not below. */
function niceSeconds(seconds: number): number {
  for (let power = 1; ; power *= 10)
    for (const step of [1, 2, 5]) if (step * power >= seconds) return step * power;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
