/** What both SQL stores share. */
export { type Migration, missingMigrations } from "./migration.ts";
