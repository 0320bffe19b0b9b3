/** Files and messages as documents, and which source each is of. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonRefusal,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import { parseForeignYaml } from "../../policy/index.ts";
import { OtlpDecoder, type OtlpKind } from "../otlp/index.ts";
import { jsonOf } from "../source-tree/index.ts";
import { alertmanager } from "./alertmanager.ts";
import { argoCd } from "./argo-cd.ts";
import { backstage } from "./backstage.ts";
import { cdevents } from "./cdevents.ts";
import { cloudEvents } from "./cloudevents.ts";
import { flags } from "./flags.ts";
import { github } from "./github.ts";
import { kubernetes } from "./kubernetes.ts";
import { migrations, sqlDocument } from "./migrations.ts";
import { otlp } from "./otlp.ts";
import { pagerDuty } from "./pagerduty.ts";
import type { Source, SourceDocument, SourceFault } from "./source.ts";
import { terraform } from "./terraform.ts";

/** In the order in which they are asked whether a document is theirs: the narrow marks first. */
export const sources: readonly Source[] = [
  otlp,
  argoCd,
  backstage,
  kubernetes,
  cdevents,
  cloudEvents,
  github,
  alertmanager,
  pagerDuty,
  terraform,
  flags,
  migrations,
];

export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly modifiedAtMs: number;
  /** It was told, or will be: here it only explains others. */
  readonly isContext?: true;
}

/** Of one file; larger ones are for a collector. */
export const fileBytesMax: number = 256 * 1024 * 1024;

/** The documents of a file: JSON, one JSON value a line, YAML, or SQL. Broken: where, and why. */
export function documentsOf(given: SourceFile): Result<readonly SourceDocument[], SourceFault> {
  const file = { ...given, bytes: withoutMark(given.bytes) };
  const { path, bytes, modifiedAtMs: receivedAt } = file;
  if (bytes.length > fileBytesMax)
    return err({
      reference: path,
      path: "",
      message: `${bytes.length} bytes; ${fileBytesMax} are read`,
    });
  if (path.endsWith(".sql"))
    return ok([{ reference: path, value: sqlDocument(path, textOf(bytes)), receivedAt }]);
  if (/\.ya?ml$/.test(path)) return yamlDocuments(file);
  if (/\.(?:pb|binpb|otlp)$/.test(path)) return otlpDocument(file);
  const whole = parseJsonStrict(bytes, { bytesMax: fileBytesMax, unsafeNumbers: "nearest" });
  if (whole.ok)
    return ok(objects(whole.value).map((value) => ({ reference: path, value, receivedAt })));
  return /\.(?:jsonl|ndjson)$/.test(path) || isManyLines(bytes)
    ? lineDocuments(file)
    : err({ reference: path, path: "", message: jsonFault(whole.error) });
}

/** What a shell of Windows redirects into a file has a byte order mark, and often is UTF-16. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe)
    return Buffer.from(new TextDecoder("utf-16le").decode(bytes));
  return first === 0xef && second === 0xbb && third === 0xbf ? bytes.subarray(3) : bytes;
}

/** The source whose marks the document bears. */
export function sourceOf(document: SourceDocument): Source | undefined {
  return sources.find((source) => source.reads(document));
}

/** Protobuf does not say what it is; its name does: `….traces.pb`. */
function otlpDocument({
  path,
  bytes,
  modifiedAtMs,
}: SourceFile): Result<readonly SourceDocument[], SourceFault> {
  const kinds: readonly OtlpKind[] = ["traces", "metrics", "logs"];
  const kind = kinds.find((each) => (path.split("/").at(-1) ?? "").includes(each));
  const refused = (message: string): Result<never, SourceFault> =>
    err({ reference: path, path: "", message });
  if (kind === undefined)
    return refused("OTLP in protobuf has traces, metrics or logs in its file's name (x.traces.pb)");
  const decoded = new OtlpDecoder().decode(kind, bytes);
  return decoded.ok
    ? ok([{ reference: path, value: decoded.value, receivedAt: modifiedAtMs }])
    : refused(decoded.error);
}

function yamlDocuments({
  path,
  bytes,
  modifiedAtMs,
}: SourceFile): Result<readonly SourceDocument[], SourceFault> {
  const { roots, diagnostics } = parseForeignYaml(path, textOf(bytes));
  const [broken] = diagnostics;
  if (broken !== undefined)
    return err({
      reference: `${path}:${broken.line}:${broken.column}`,
      path: "",
      message: broken.message,
    });
  return ok(
    roots.flatMap((root) =>
      objects(jsonOf(root)).map((value) => ({
        reference: `${path}:${root.at.line}`,
        value,
        receivedAt: modifiedAtMs,
      })),
    ),
  );
}

function lineDocuments({
  path,
  bytes,
  modifiedAtMs,
}: SourceFile): Result<readonly SourceDocument[], SourceFault> {
  const documents: SourceDocument[] = [];
  for (const [index, line] of textOf(bytes).split("\n").entries()) {
    if (line.trim() === "") continue;
    const reference = `${path}:${index + 1}`;
    const parsed = parseJsonStrict(Buffer.from(line), {
      bytesMax: fileBytesMax,
      unsafeNumbers: "nearest",
    });
    if (!parsed.ok) return err({ reference, path: "", message: jsonFault(parsed.error) });
    for (const value of objects(parsed.value))
      documents.push({ reference, value, receivedAt: modifiedAtMs });
  }
  return ok(documents);
}

/** The end of the first line is the end of a JSON object. */
function isManyLines(bytes: Uint8Array): boolean {
  const end = bytes.indexOf(0x0a);
  return end > 0 && parseJsonStrict(bytes.subarray(0, end)).ok;
}

function jsonFault({ kind, offset, pointer, detail }: JsonRefusal): string {
  return `no JSON (${kind} at byte ${offset}${pointer === "" ? "" : `, ${pointer}`}): ${detail}`;
}

/** A list at the top is many documents; what is no object is none. */
function objects(value: JsonValue): readonly SourceDocument["value"][] {
  return (isJsonArray(value) ? value : [value]).filter(isJsonObject);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes);
}
