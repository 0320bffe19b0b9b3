export type { ParityAsking, ProbeParts } from "./asking.ts";
export { probes } from "./probes.ts";
