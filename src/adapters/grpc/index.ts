export { checkHealth, type HealthAnswer, type HealthQuestion } from "./health-check.ts";
