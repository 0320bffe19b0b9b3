export type {
  Cause,
  Evidence,
  RuledOut,
  Step,
  Symptom,
  WhyAnswer,
} from "./answer.ts";
export { type CauseKind, causeKinds, isExternal } from "./cause-kind.ts";
export {
  type AgentAction,
  type Alert,
  type Change,
  type ChangeKind,
  type Condition,
  changeKinds,
  type DiffPart,
  type EdgeFact,
  type LogTemplate,
  type ModelEvent,
  type NodeFact,
  type Origin,
  type Quantiles,
  type Series,
  type Signal,
  signals,
  type Traffic,
} from "./event.ts";
export {
  type FactsHead,
  factsLines,
  type Reached,
  readFactsHead,
  readTargetFacts,
  type TargetFacts,
  targetFacts,
} from "./facts/index.ts";
export {
  boundedName,
  boundedText,
  eventBytesMax,
  faultOf,
  isHostileName,
} from "./feed/index.ts";
export {
  type FoldedSpans,
  foldSpans,
  quantilesOf,
  type Span,
  type SpanFaults,
  type SpanFolding,
} from "./fold/index.ts";
export {
  type Added,
  type AspectView,
  type Basis,
  type Contract,
  type Direction,
  type EdgeView,
  Graph,
  type Moment,
  type Neighbour,
  type NodeView,
  type ReachOptions,
  type TimeRange,
  type Version,
  type View,
} from "./graph/index.ts";
export {
  type EdgeKind,
  edgeKinds,
  type NodeId,
  type NodeKind,
  nodeId,
  nodeKinds,
  splitNodeId,
} from "./graph-words.ts";
export {
  type BlastRadius,
  type Calibration,
  calibrationByChange,
  calibrationOf,
  type Exercised,
  type Exposure,
  exercised,
  type Felt,
  felt,
  type Outcome,
  type Prediction,
  predict,
  proportion,
  readPrediction,
  type Share,
  type Tolerance,
  toleranceOf,
  withOutcome,
} from "./impact/index.ts";
export { kubernetesNodeId } from "./kubernetes-id.ts";
export {
  type FoldedLogs,
  foldLogs,
  type LogFolding,
  type LogLine,
  severityOf,
  templateOf,
} from "./logs/index.ts";
export {
  type Around,
  type Box,
  boxOf,
  type Emphasis,
  type Layout,
  mermaidOf,
  type Picture,
  type PictureEdge,
  type PictureNode,
  pictureOfAnswer,
  pictureOfView,
  svgOf,
} from "./picture/index.ts";
export {
  endOfEvent,
  type RememberedKind,
  type RememberedRule,
  type Remembrance,
  readableKinds,
  rememberedKinds,
  remembranceUnlessGiven,
  retained,
} from "./remembrance/index.ts";
export { readSymptom } from "./symptom.ts";
export { defaultSettings, type Part, parts, type WhySettings, why } from "./why/index.ts";
