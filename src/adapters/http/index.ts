export { type AddressRule, addressAllowed } from "./addresses.ts";
export { type FrontLimits, frontLimitsDefault } from "./limits.ts";
export { type FrontServer, serveFront } from "./server.ts";
export { type ClosableTransport, type TransportOptions, undiciTransport } from "./transport.ts";
