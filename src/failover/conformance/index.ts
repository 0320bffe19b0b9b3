export {
  type Conformance,
  type Level,
  requirementsNamed,
  type Scored,
  scoreConformance,
  type TestRun,
  testRuns,
} from "./conformance.ts";
