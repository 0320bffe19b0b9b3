/**
 * A picture as one self-contained SVG: it follows light and dark, carries its content as title and description for those
 * who do not see it, and runs nothing. Where things stand is computed outside (a layout is an argument).
 */
import type { NodeId } from "../graph-words.ts";
import type { Picture, PictureEdge, PictureNode } from "./picture.ts";

export interface Box {
  readonly width: number;
  readonly height: number;
}

/** Middle points of nodes, and the points that each edge goes through, in the order of the picture. */
export interface Layout extends Box {
  readonly nodes: ReadonlyMap<NodeId, { readonly x: number; readonly y: number }>;
  readonly edges: readonly (readonly { readonly x: number; readonly y: number }[])[];
}

const nameCharactersMax = 38;
const noteCharactersMax = 68;
const margin = 24;
const headHeight = 56;

/** Room that a node needs; the layout is made with it. */
export function boxOf(node: PictureNode): Box {
  const name = cut(node.name, nameCharactersMax).length * 8.4;
  const note = cut(node.note, noteCharactersMax).length * 5.8;
  return {
    width: Math.ceil(Math.max(name, note, node.kind.length * 7, 90)) + 28,
    height: node.note === "" ? 50 : 68,
  };
}

export function svgOf(picture: Picture, layout: Layout): string {
  const width = Math.ceil(Math.max(layout.width, picture.title.length * 9, 320) + 2 * margin);
  const height = Math.ceil(layout.height + headHeight + 2 * margin);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title id="title">${xml(picture.title)}, ${xml(picture.moment)}</title>`,
    `<desc id="desc">${xml(descriptionOf(picture))}</desc>`,
    `<style>${style}</style>`,
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="title" x="${margin}" y="${margin + 14}">${xml(picture.title)}</text>`,
    `<text class="moment" x="${margin}" y="${margin + 34}">${xml(momentOf(picture))}</text>`,
    `<g transform="translate(${margin} ${margin + headHeight})">`,
    ...picture.edges.map((edge, place) => edgeOf(edge, layout.edges[place] ?? [])),
    ...picture.nodes.map((node) => nodeOf(node, layout)),
    "</g></svg>",
    "",
  ].join("\n");
}

const style = [
  ":root{color-scheme:light dark}",
  "text{font:14px ui-sans-serif,system-ui,sans-serif;fill:light-dark(#1f1f1f,#ececec)}",
  ".page{fill:light-dark(#fff,#161616)}.title{font-size:16px;font-weight:600}",
  ".moment,.kind,.note,.edge-kind{font-size:11px;fill:light-dark(#555,#b5b5b5)}.name{font-weight:600}",
  ".box{fill:light-dark(#fff,#202020);stroke:light-dark(#999,#777)}",
  ".path .box{stroke:light-dark(#444,#ccc);stroke-width:2}",
  ".change .box{fill:light-dark(#fff3d6,#3a2c0f);stroke:light-dark(#b54708,#f0a94b);stroke-width:2}",
  ".cause .box{fill:light-dark(#fde2e1,#431614);stroke:light-dark(#b42318,#ff8a80);stroke-width:3}",
  ".symptom .box{fill:light-dark(#e6effd,#142743);stroke:light-dark(#175cd3,#84b4ff);stroke-width:3}",
  ".line{fill:none;stroke:light-dark(#999,#777);stroke-dasharray:5 4}",
  ".on-path .line{stroke:light-dark(#444,#ddd);stroke-width:2.5;stroke-dasharray:none}",
  "#tip path{fill:light-dark(#444,#ddd)}",
].join("");

function nodeOf(node: PictureNode, layout: Layout): string {
  const at = layout.nodes.get(node.id) ?? { x: 0, y: 0 };
  const { width, height } = boxOf(node);
  const [left, top] = [round(at.x - width / 2), round(at.y - height / 2)];
  const text = (role: string, y: number, value: string): string =>
    `<text class="${role}" x="${left + 14}" y="${round(top + y)}">${xml(value)}</text>`;
  return [
    `<g class="${node.emphasis}"><title>${xml(node.id)}${node.note === "" ? "" : `: ${xml(node.note)}`}</title>`,
    `<rect class="box" x="${left}" y="${top}" width="${width}" height="${height}" rx="8"/>`,
    text("kind", 17, node.kind),
    text("name", 36, cut(node.name, nameCharactersMax)),
    ...(node.note === "" ? [] : [text("note", 55, cut(node.note, noteCharactersMax))]),
    "</g>",
  ].join("");
}

function edgeOf(edge: PictureEdge, points: readonly { x: number; y: number }[]): string {
  if (points.length === 0) return "";
  const line = points.map(({ x, y }, place) => `${place === 0 ? "M" : "L"}${round(x)} ${round(y)}`);
  const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 };
  const note = edge.note === "" ? edge.kind : `${edge.kind}: ${edge.note}`;
  return [
    `<g class="${edge.isOnPath ? "on-path" : "beside"}"><title>${xml(note)}</title>`,
    `<path class="line" d="${line.join("")}" marker-end="url(#tip)"/>`,
    `<text class="edge-kind" text-anchor="middle" x="${round(middle.x)}" y="${round(middle.y - 6)}">${xml(edge.kind)}</text></g>`,
  ].join("");
}

function momentOf(picture: Picture): string {
  return picture.omitted === 0 ? picture.moment : `${picture.moment}; ${picture.omitted} not drawn`;
}

/** What the picture says, in words. */
function descriptionOf(picture: Picture): string {
  const names = new Map(picture.nodes.map(({ id, name }) => [id, name]));
  const lines = picture.edges.map(
    ({ from, to, kind, note }) =>
      `${names.get(from) ?? from} to ${names.get(to) ?? to} (${kind})${note === "" ? "" : `: ${note}`}`,
  );
  const notes = picture.nodes.filter(({ note }) => note !== "");
  return [...notes.map(({ name, note }) => `${name}: ${note}`), ...lines].join(". ");
}

function cut(text: string, charactersMax: number): string {
  const characters = [...text];
  return characters.length <= charactersMax
    ? text
    : `${characters.slice(0, charactersMax - 1).join("")}…`;
}

/** XML 1.0 forbids most control characters even as references; they become the replacement character. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
