export { type Calibration, calibrationByChange, calibrationOf } from "./calibration.ts";
export {
  type ChangeFeeling,
  type ChangeFelt,
  changeFelt,
  type Experience,
  troublesOf,
} from "./change-felt.ts";
export { type Exercised, exercised } from "./exercised.ts";
export { type Exposure, exposure } from "./exposure.ts";
export { type Felt, felt } from "./felt.ts";
export { type BlastRadius, predict } from "./predict.ts";
export { type Outcome, type Prediction, readPrediction, withOutcome } from "./prediction.ts";
export {
  type Call,
  type Relation,
  type Structure,
  type Trouble,
  waitingShare,
} from "./relation.ts";
export { proportion, type Share } from "./share.ts";
export { type Tolerance, toleranceOf } from "./tolerance.ts";
export { type Feeling, likelyFelt, whoFeels } from "./who-feels.ts";
