export { systemClock, systemEntropy } from "./system.ts";
