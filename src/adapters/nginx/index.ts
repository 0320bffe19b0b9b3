export { type NginxGate, nginxConfiguration } from "./configuration.ts";
