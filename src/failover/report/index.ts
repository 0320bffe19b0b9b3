export { reportMarkdown } from "./markdown.ts";
export { reportPage } from "./page.ts";
export { grtPlot } from "./plot.ts";
export { type Regulation, regulations } from "./regulations.ts";
export { type Report, regulationIds, reportOf } from "./report.ts";
