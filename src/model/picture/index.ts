export { mermaidOf } from "./mermaid.ts";
export { pictureOfAnswer } from "./of-answer.ts";
export { type Around, pictureOfView } from "./of-view.ts";
export type { Emphasis, Picture, PictureEdge, PictureNode } from "./picture.ts";
export { type Box, boxOf, type Layout, svgOf } from "./svg.ts";
