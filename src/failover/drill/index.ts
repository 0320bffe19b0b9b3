export { type Acting, blastRadiusRefusals, isBelow, type Surroundings } from "./blast-radius.ts";
export type {
  Activity,
  Control,
  DrillTarget,
  Experiment,
  Governance,
  HttpProvider,
  ProcessProvider,
  Provider,
  Tolerance,
} from "./experiment.ts";
export {
  type ActivityRun,
  type ControlFinding,
  type DrillFindings,
  type DrillJournal,
  type DrillVerdict,
  drillPayloadType,
  type Look,
  type ProofFinding,
  type StateFinding,
  type SteadyState,
} from "./journal.ts";
export { type ExperimentOptions, readExperiment } from "./read-experiment.ts";
export type { ExperimentProblem } from "./reading.ts";
export { type DrillDue, type DrillPast, drillsDue } from "./schedule.ts";
export { type FindsPattern, isMet } from "./tolerance.ts";
export { type Judged, judgeDrill } from "./verdict.ts";
