export { type ProbeParts, probes } from "./probes.ts";
