/**
 * Draws the house: rings from the world outside to the words inside, the rooms of the map in them, an arrow for each room
 * that really imports another, and the two processes. The same house always gives the same picture.
 */
import { type Room, rooms } from "../test/house/map.ts";
import { edgesOf, importsOf, roomOf, sourceFiles } from "./house-imports.ts";

interface Point {
  readonly x: number;
  readonly y: number;
}
interface Card extends Point {
  readonly name: string;
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
}

const [width, height] = [1120, 700];
const center: Point = { x: width / 2, y: 636 };
/** Outer edge of each ring, and where its cards stand. */
const outerOf = [160, 292, 424, 552];
const cardsAt = [64, 224, 356, 486];
const ringWords = [
  ["words", "known by all"],
  ["rules", "values only"],
  ["effects", "through ports"],
  ["the world", "node:*, npm"],
];
/** From left to right; a room that is not named here comes last. */
const order = ["sim", "adapters", "main", "cli", "ledger", "gateway", "state", "control"].concat([
  "audit",
  "limits",
  "identity",
  "policy",
  "ports",
  "kernel",
]);
/** What runs as a process of its own. Whatever stands between them in the ring is shared. */
const processes = [
  { kind: "gateway", rooms: ["ledger", "gateway"] },
  { kind: "control", rooms: ["control"] },
] as const;

const round = (value: number): number => Math.round(value * 10) / 10;
const rank = (name: string): number => (order.indexOf(name) + order.length) % order.length;

/** A point at an angle in degrees, 180 at the left end, on a circle around the words. */
function at(radius: number, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return {
    x: round(center.x + radius * Math.cos(angle)),
    y: round(center.y - radius * Math.sin(angle)),
  };
}

function inRing(ring: number): readonly string[] {
  const named = Object.keys(rooms).filter((name) => rooms[name]?.ring === ring);
  return named.sort((a, b) => rank(a) - rank(b));
}

/** How far from the ends of its ring the first and last card stand, in degrees. */
const margin = [0, 27, 28, 31];

function degreesOf(name: string): number {
  const ring = rooms[name]?.ring ?? 0;
  const peers = inRing(ring);
  const edge = margin[ring] ?? 0;
  return 180 - edge - (peers.indexOf(name) * (180 - 2 * edge)) / Math.max(1, peers.length - 1);
}

function cardOf(name: string, { ring, holds }: Room): Card {
  const cardWidth = ring === 0 ? 120 : 146;
  const lines = wrapped(holds, ring === 0 ? 22 : 28);
  const place = at(cardsAt[ring] ?? 0, degreesOf(name));
  const lift = ring === 0 ? 50 : 0;
  return {
    name,
    lines,
    width: cardWidth,
    height: 26 + lines.length * 12,
    x: place.x,
    y: place.y - lift,
  };
}

function wrapped(text: string, charactersMax: number): readonly string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    const longer = last === "" ? word : `${last} ${word}`;
    if (longer.length <= charactersMax) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Half a ring between two angles. */
function band(inner: number, outer: number, from: number, to: number, kind: string): string {
  const [a, b, c, d] = [at(outer, from), at(outer, to), at(inner, to), at(inner, from)];
  const arc = (radius: number, sweep: 0 | 1, end: Point): string =>
    `A ${radius} ${radius} 0 0 ${sweep} ${end.x} ${end.y}`;
  return `<path class="${kind}" d="M ${a.x} ${a.y} ${arc(outer, 1, b)} L ${c.x} ${c.y} ${arc(inner, 0, d)} Z"/>`;
}

/** Where the line from the middle of a card towards a point leaves the card. */
function border({ x, y, width: w, height: h }: Card, towards: Point, gap: number): Point {
  const [dx, dy] = [towards.x - x, towards.y - y];
  const scale = Math.min(
    (w / 2 + gap) / Math.abs(dx || 1e-9),
    (h / 2 + gap) / Math.abs(dy || 1e-9),
  );
  return { x: round(x + dx * scale), y: round(y + dy * scale) };
}

function arrow(from: Card, to: Card): string {
  const [a, b] = [rooms[from.name]?.ring ?? 0, rooms[to.name]?.ring ?? 0];
  // Within a ring the line bows outwards, so that it does not pass through what lies between.
  const pull = a === b ? 1.14 : 0.97;
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const bend = {
    x: round(center.x + (middle.x - center.x) * pull),
    y: round(center.y + (middle.y - center.y) * pull),
  };
  const [start, end] = [border(from, bend, 1), border(to, bend, 4)];
  const kind = a - b > 1 ? "far" : "near";
  return `<path class="arrow ${kind}" d="M ${start.x} ${start.y} Q ${bend.x} ${bend.y} ${end.x} ${end.y}" marker-end="url(#tip)"><title>${from.name} uses ${to.name}</title></path>`;
}

function drawn(card: Card): string {
  const process = processes.find((each) => (each.rooms as readonly string[]).includes(card.name));
  const [left, top] = [round(card.x - card.width / 2), round(card.y - card.height / 2)];
  const text = card.lines.map(
    (line, i) =>
      `<text class="small" x="${card.x}" y="${round(top + 31 + i * 12)}">${escaped(line)}</text>`,
  );
  return [
    `<g class="card ${process?.kind ?? `ring${rooms[card.name]?.ring}`}">`,
    `<rect x="${left}" y="${top}" width="${card.width}" height="${card.height}" rx="9"/>`,
    `<text class="name" x="${card.x}" y="${round(top + 18)}">${card.name}</text>`,
    ...text,
    "</g>",
  ].join("");
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The sector of the ring of effects that a process fills, and its name on the outer edge. */
function processSector({ kind, rooms: members }: (typeof processes)[number]): string {
  const angles = members.map(degreesOf);
  const step = (180 - 2 * (margin[2] ?? 0)) / Math.max(1, inRing(2).length - 1) / 2;
  const peers = inRing(2);
  const isFirst = peers[0] === members[0];
  const isLast = peers.at(-1) === members.at(-1);
  const from = isFirst ? 180 : Math.max(...angles) + step;
  const to = isLast ? 0 : Math.min(...angles) - step;
  const [inner = 0, outer = 0] = outerOf.slice(1, 3);
  return band(inner + 2, outer - 2, from, to, `process ${kind}`);
}

function labels(): string {
  const rings = outerOf.flatMap((outer, ring) => {
    const middle = ring === 0 ? 0 : (outer + (outerOf[ring - 1] ?? 0)) / 2;
    const [word = "", meaning = ""] = ringWords[ring] ?? [];
    const line = (x: number, text: string, kind: string): string =>
      `<text class="${kind}" x="${round(x)}" y="${center.y + 20}">${text}</text>`;
    if (ring === 0) return [line(center.x, `ring 0: ${word}, ${meaning}`, "ring")];
    return [
      line(center.x - middle, `ring ${ring}: ${word}`, "ring"),
      line(center.x + middle, meaning, "meaning"),
    ];
  });
  return [
    ...rings,
    `<text class="legend gateway" x="24" y="92">agents in: MCP, HTTP, AuthZEN, OPA</text>`,
    `<text class="legend gateway" x="24" y="112">upstreams out: MCP servers, HTTP APIs</text>`,
    `<text class="legend control" x="${width - 24}" y="92" text-anchor="end">policies in: a folder of YAML</text>`,
    `<text class="legend control" x="${width - 24}" y="112" text-anchor="end">bundles out: gateways, OPA fleets</text>`,
    `<text class="legend gateway" x="24" y="30">▇ gateway process: the data plane</text>`,
    `<text class="legend control" x="24" y="50">▇ control process: may be slow, may be dead</text>`,
    `<text class="legend" x="${width - 24}" y="30" text-anchor="end">→ one room uses another, inward or beside it</text>`,
    `<text class="legend" x="${width - 24}" y="50" text-anchor="end">kernel is used by every room; those arrows are left out</text>`,
  ].join("\n");
}

const style = `
  text { font: 12px system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #1f2933; text-anchor: middle; }
  .name { font-size: 15px; font-weight: 650; }
  .small { font-size: 9.5px; fill: #52606d; }
  .ring { font-weight: 600; } .meaning { fill: #52606d; font-style: italic; }
  .legend { text-anchor: start; } .legend[text-anchor="end"] { text-anchor: end; }
  text.gateway { fill: #0b6e99; } text.control { fill: #a1560b; }
  .page { fill: #ffffff; } .band3 { fill: #eef2f6; } .band2 { fill: #e2e8ef; } .band1 { fill: #d3dce6; } .band0 { fill: #c2cedb; }
  .process.gateway { fill: #bfe3f2; } .process.control { fill: #fbdcb5; }
  .card rect { fill: #ffffff; stroke: #9aa5b1; } .card.gateway rect { stroke: #0b6e99; stroke-width: 2; } .card.control rect { stroke: #a1560b; stroke-width: 2; }
  .arrow { fill: none; stroke: #52606d; stroke-width: 1.5; } .near { opacity: 0.75; } .far { opacity: 0.28; stroke-width: 1.1; }
  #tip path { fill: #52606d; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small, .meaning { fill: #a9b4c0; }
    text.gateway { fill: #6cc7ee; } text.control { fill: #f3b56b; }
    .page { fill: #0d1117; } .band3 { fill: #161b22; } .band2 { fill: #1e2530; } .band1 { fill: #28313d; } .band0 { fill: #333e4c; }
    .process.gateway { fill: #123e52; } .process.control { fill: #4d3212; }
    .card rect { fill: #0d1117; stroke: #57606a; } .card.gateway rect { stroke: #6cc7ee; } .card.control rect { stroke: #f3b56b; }
    .arrow { stroke: #a9b4c0; } #tip path { fill: #a9b4c0; }
  }`;

/** The picture, as SVG for light and dark pages. */
export function architectureSvg(): string {
  const cards = Object.entries(rooms).map(([name, room]) => cardOf(name, room));
  const uses = new Set(
    edgesOf(importsOf(sourceFiles())).map((e) => `${roomOf(e.from)} ${roomOf(e.to)}`),
  );
  const arrows = [...uses].sort().flatMap((pair) => {
    const [from, to] = pair.split(" ").map((name) => cards.find((card) => card.name === name));
    return from === undefined || to === undefined || from === to || to.name === "kernel"
      ? []
      : [arrow(from, to)];
  });
  const rings = [3, 2, 1, 0].map((ring) =>
    band(ring === 0 ? 0 : (outerOf[ring - 1] ?? 0), outerOf[ring] ?? 0, 180, 0, `band${ring}`),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="The rooms of Holdfast in four rings; arrows point inward only">`,
    `<style>${style}\n</style>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto"><path d="M 0 0.5 L 8 4 L 0 7.5 Z"/></marker></defs>`,
    `<rect class="page" width="${width}" height="${height}" rx="12"/>`,
    ...rings,
    ...processes.map(processSector),
    ...arrows,
    ...cards.map(drawn),
    labels(),
    "</svg>",
    "",
  ].join("\n");
}
