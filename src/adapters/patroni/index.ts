export { type PatroniHooks, patroniConfiguration } from "./configuration.ts";
export { type StandbyTagParts, tagStandby } from "./standby-tag.ts";
