export { defaultSettings, type Part, parts, type WhySettings } from "./case.ts";
export { type Remedy, remedies, remedyOf, troubledServices } from "./changes/remedy.ts";
export { why, whyInGraph } from "./why.ts";
