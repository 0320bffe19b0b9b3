export { checkHealth, type HealthAnswer, type HealthQuestion } from "./health-check.ts";
export { type HealthService, type HealthServiceParts, serveHealth } from "./health-service.ts";
