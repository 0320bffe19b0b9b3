export {
  type FactsHead,
  factsLines,
  type Reached,
  readFactsHead,
  readTargetFacts,
  type TargetFacts,
} from "./snapshot.ts";
