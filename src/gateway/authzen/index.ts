export { type AuthZen, authZen, authZenPaths } from "./authzen.ts";
