/** What both SQL stores share. */
export { type Migration, missingMigrations } from "./migration.ts";
export { prefixEnd, storedValue, valueText } from "./stored-value.ts";
