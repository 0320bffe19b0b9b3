export type { ProbeParts } from "./asking.ts";
export { probes } from "./probes.ts";
