export { type EnvoyGate, envoyConfiguration } from "./configuration.ts";
