/** Files as batches: a file is taken whole or refused; what explains itself across files goes together. */
import { err, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import type { ModelEvent } from "../../model/index.ts";
import { documentsOf, type SourceFile, sourceOf, sources } from "./read.ts";
import {
  type CountedSpans,
  type Source,
  type SourceDocument,
  type SourceFault,
  type Telling,
  usualTelling,
} from "./source.ts";

export interface SourceBatch {
  /** The same for the same content. */
  readonly id: string;
  /** Of its sources. */
  readonly names: readonly string[];
  /** A file, or the first of several. */
  readonly reference: string;
  readonly events: readonly ModelEvent[];
  readonly notes: readonly string[];
  readonly spans?: CountedSpans;
}

export interface ReadBatches {
  readonly batches: readonly SourceBatch[];
  readonly refused: readonly SourceFault[];
  /** Files without anything that a source could read. */
  readonly skipped: readonly string[];
}

interface ReadFile {
  readonly file: SourceFile;
  readonly documents: readonly (readonly [Source, SourceDocument])[];
}

/** `as`: the source that all of them are of; otherwise each is known by its marks. */
export function batchesOf(
  files: readonly SourceFile[],
  as?: Source,
  telling: Telling = usualTelling,
): ReadBatches {
  const refused: SourceFault[] = [];
  const skipped: string[] = [];
  const read: ReadFile[] = [];
  for (const file of files) {
    const documents = recognised(file, as);
    if (!documents.ok) refused.push(documents.error);
    else if (documents.value.length === 0) skipped.push(file.path);
    else read.push({ file, documents: documents.value });
  }
  const batches: SourceBatch[] = [];
  const taken = read.filter((each) => {
    const batch = aloneOf(each, telling);
    if (batch?.ok) batches.push(batch.value);
    else if (batch !== undefined) refused.push(batch.error);
    return batch === undefined || batch.ok;
  });
  for (const source of sources.filter(({ gathers }) => gathers)) {
    const gathered = gather(source, taken, refused, telling);
    if (gathered !== undefined) batches.push(gathered);
  }
  return { batches, refused, skipped };
}

/** What needs no other file to be understood. */
function aloneOf(
  { file, documents }: ReadFile,
  telling: Telling,
): Result<SourceBatch, SourceFault> | undefined {
  const alone = documents.filter(([source]) => source.gathers !== true);
  return alone.length === 0 ? undefined : batchOf([file], alone, telling);
}

function recognised(
  file: SourceFile,
  as: Source | undefined,
): Result<ReadFile["documents"], SourceFault> {
  const documents = documentsOf(file);
  if (!documents.ok) return documents;
  const context = file.isContext === true ? { isContext: true as const } : {};
  const all = documents.value.map((document) => ({ ...document, ...context }));
  const known = all.flatMap((document) => {
    const source = as ?? sourceOf(document);
    return source === undefined ? [] : [[source, document] as const];
  });
  const unknown = all.find((document) => !known.some(([, each]) => each === document));
  // Of a file that is read at all, nothing is silently left out.
  if (known.length > 0 && unknown !== undefined)
    return err({
      reference: unknown.reference,
      path: "",
      message:
        "no source knows this document, but others of the same file; take it out, or name the source",
    });
  return ok(known);
}

/** Without the files whose documents it refuses. */
function gather(
  source: Source,
  read: readonly ReadFile[],
  refused: SourceFault[],
  telling: Telling,
): SourceBatch | undefined {
  let left = read.filter(({ documents }) => documents.some(([each]) => each === source));
  for (;;) {
    if (left.length === 0) return undefined;
    const own = left.flatMap(({ documents }) => documents.filter(([each]) => each === source));
    const batch = batchOf(
      left.map(({ file }) => file),
      own,
      telling,
    );
    if (batch.ok) return batch.value;
    refused.push(batch.error);
    const without = left.filter(
      ({ documents }) =>
        !documents.some(([, { reference }]) => reference === batch.error.reference),
    );
    // A fault that names none of the documents is of all of them.
    if (without.length === left.length) return undefined;
    left = without;
  }
}

function batchOf(
  files: readonly SourceFile[],
  documents: ReadFile["documents"],
  telling: Telling,
): Result<SourceBatch, SourceFault> {
  const used = sources.filter((source) => documents.some(([each]) => each === source));
  const events: ModelEvent[] = [];
  const notes: string[] = [];
  let spans: CountedSpans | undefined;
  for (const source of used) {
    const told = source.tell(
      documents.filter(([each]) => each === source).map(([, each]) => each),
      telling,
    );
    if (!told.ok) return told;
    for (const event of told.value.events) events.push(event);
    notes.push(...told.value.notes);
    spans ??= told.value.spans;
  }
  const digests = files
    .filter(({ isContext }) => isContext !== true)
    .map(({ bytes }) => sha256Hex(bytes))
    .sort();
  const names = used.map(({ name }) => name);
  const versions = used.map(({ name, version }) => `${name}.${version}`).join("+");
  const { windowMs } = telling;
  const window = windowMs === usualTelling.windowMs ? "" : `-${windowMs}ms`;
  const id = `${versions}-${sha256Hex(digests.join(" ")).slice(0, 40)}${window}`;
  const about = { id, names, reference: files[0]?.path ?? "" };
  return ok({ ...about, events, notes, ...(spans !== undefined && { spans }) });
}
