/**
 * Database migrations, by the names that Flyway (`V2__add_column.sql`) and golang-migrate (`000002_add_column.up.sql`) give
 * them. The folder they lie in names the database. The file does not say when it ran; its own time is the first it can have.
 */
import { ok, type Result } from "../../kernel/index.ts";
import type { DiffPart } from "../../model/index.ts";
import { textAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  Teller,
  type Told,
  textOf,
} from "./source.ts";

const flyway = /^(?<version>[VR][\d._]*)__(?<title>.+)\.sql$/;
const golangMigrate = /^(?<version>\d+)_(?<title>.+)\.up\.sql$/;
const folders = /^(?:db|sql|migrations?|resources|main|src|changelog|\.|)$/i;
const statementsMax = 100;

export const migrations: Source = {
  name: "migrations",
  version: 1,
  reads: ({ value }) => textAt(value, "sql") !== undefined && readName(value) !== undefined,
  tell: (documents): Result<Told, SourceFault> => {
    const teller = new Teller("migrations");
    for (const document of documents) tellMigration(teller, document);
    return ok(teller.told);
  },
};

/** How the text of a `.sql` file comes to a source. */
export function sqlDocument(path: string, sql: string): SourceDocument["value"] {
  return { path, sql };
}

function readName(
  value: SourceDocument["value"],
): { file: string; version: string; title: string; database: string } | undefined {
  const parts = (textAt(value, "path") ?? "").split("/");
  const file = parts.at(-1) ?? "";
  const found = flyway.exec(file) ?? golangMigrate.exec(file);
  if (found === null) return undefined;
  const { version = "", title = "" } = found.groups ?? {};
  const database = parts.slice(0, -1).findLast((part) => !folders.test(part)) ?? "database";
  return { file, version, title: title.replaceAll("_", " "), database };
}

function tellMigration(teller: Teller, { value, reference, receivedAt }: SourceDocument): void {
  const name = readName(value);
  if (name === undefined) return;
  const database = named("database", name.database);
  teller.tell(reference, receivedAt, {
    ...{ type: "change", at: receivedAt, kind: "migration", targets: [database] },
    change: named("deploy", `migration/${name.database}/${name.version}`),
    title: textOf(`migration ${name.version} of ${name.database}: ${name.title}`),
    after: nameOf(name.version),
    diff: statementsOf(name.file, textAt(value, "sql") ?? ""),
  });
}

/** By the table that a statement touches. */
function statementsOf(file: string, sql: string): readonly DiffPart[] {
  const statements = sql
    .replace(/--[^\n]*/g, "")
    .split(";")
    .map((statement) => statement.trim().replace(/\s+/g, " "))
    .filter((statement) => statement !== "");
  return statements.slice(0, statementsMax).map((statement) => {
    const table =
      /^(?:CREATE|ALTER|DROP|TRUNCATE|UPDATE|INSERT|DELETE)[\w ]{0,60}?\b(?:TABLE|INTO|FROM|UPDATE|ON)\s+(?:IF (?:NOT )?EXISTS )?([\w."]+)/i.exec(
        statement,
      )?.[1];
    const path = table === undefined ? file : `${file}#${table.replaceAll('"', "")}`;
    return { path: nameOf(path), removed: [], added: [textOf(statement)] };
  });
}
