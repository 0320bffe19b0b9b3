export { type AddressRule, addressAllowed } from "./addresses.ts";
export { frontLimitsDefault } from "./limits.ts";
export { type Posting, postNotice } from "./post.ts";
export { type FrontOptions, type FrontServer, serveFront } from "./server.ts";
export { type ClosableTransport, type TransportOptions, undiciTransport } from "./transport.ts";
