export { defaultSettings, type Part, parts, type WhySettings } from "./case.ts";
export { why } from "./why.ts";
