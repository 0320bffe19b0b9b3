export { type HaproxySection, readHaproxySections } from "./haproxy-sections.ts";
export { type LintedKind, lintConfig, lintedKindOf, lintedKinds } from "./lint.ts";
export { trapNames, traps } from "./traps.ts";
