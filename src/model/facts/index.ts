export {
  type FactsHead,
  factsLines,
  type Reached,
  readFactsHead,
  readTargetFacts,
  type TargetFacts,
} from "./snapshot.ts";
export { type FactsBasis, targetFacts } from "./target-facts.ts";
