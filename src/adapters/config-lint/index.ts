export { type HaproxySection, readHaproxySections } from "./haproxy-sections.ts";
