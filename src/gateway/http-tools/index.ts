export { neverSentOn } from "./headers.ts";
export { httpSender } from "./held-sender.ts";
export {
  definitionOf,
  effectOfMethod,
  type HttpTools,
  type HttpUpstream,
  httpTools,
  toolOfRoute,
} from "./http-tools.ts";
export { readOpenApi } from "./openapi.ts";
export { type HttpToolLimits, httpToolLimits } from "./refusal.ts";
export { type HttpRoute, type ParameterType, type RouteTable, routeTable } from "./routes.ts";
