export { type FoldedLogs, foldLogs, type LogFolding, type LogLine } from "./fold-logs.ts";
export { severityOf, templateOf } from "./template.ts";
