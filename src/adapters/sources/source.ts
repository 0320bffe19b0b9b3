/** What all sources have in common: documents in, events out. A source translates and concludes nothing. */
import { err, type JsonObject, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import {
  boundedName,
  boundedText,
  type ModelEvent,
  type NodeId,
  type NodeKind,
  nodeId,
} from "../../model/index.ts";
import type { LastSamples } from "./otlp-metrics.ts";
import type { LastSenders } from "./otlp-senders.ts";

/** One JSON object, or one document of a YAML file, or the text of a file that is neither. */
export interface SourceDocument {
  /** `file:line`, or an address. */
  readonly reference: string;
  readonly value: JsonObject;
  /** When it came, or its file was written: for what says no time of its own. */
  readonly receivedAt: number;
  /** It was told, or will be: here it only explains others. */
  readonly isContext?: true;
  /** A watch of our own saw it, and `receivedAt` is when. */
  readonly watch?: SeenByWatch;
}

export interface SeenByWatch {
  readonly cluster: string;
  /** The kind as it is watched. */
  readonly kind: string;
  /** When another object of the same name was last seen to be gone. */
  readonly endedAt?: number;
}

/** Why a document was refused: the member, and a sentence that says what to do. */
export interface SourceFault {
  readonly reference: string;
  /** JSON path; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

export interface Told {
  readonly events: readonly ModelEvent[];
  /** What was left out or bounded, for people. */
  readonly notes: readonly string[];
  /** Spans that were counted: of those, a later telling counts none again. */
  readonly spans?: CountedSpans;
}

export interface CountedSpans {
  /** A short digest of each. */
  readonly keys: readonly string[];
  /** When the first began and the last. */
  readonly fromAt: number;
  readonly toAt: number;
}

export interface Source {
  readonly name: string;
  /** Grows when the same document is told otherwise, so that it may be ingested again. */
  readonly version: number;
  /** Its documents explain each other, also across files. */
  readonly gathers?: true;
  /** Whether the document is of this source, by marks that no other source has. */
  readonly reads: (document: SourceDocument) => boolean;
  /** Documents that belong together, in any order; all or nothing. */
  readonly tell: (
    documents: readonly SourceDocument[],
    telling: Telling,
  ) => Result<Told, SourceFault>;
}

/** How it is to be told, where that is a choice. */
export interface Telling {
  /** Calls and log lines are counted by windows of this length. */
  readonly windowMs: number;
  /** Where documents come one after another: what counters had come to, kept from one telling to the next. */
  readonly lastSamples?: LastSamples;
  /** And who sent them, so that it is not said anew each time. */
  readonly lastSenders?: LastSenders;
  /** Whether a span was counted before, by its key. */
  readonly isCounted?: (key: string) => boolean;
}

export const usualTelling: Telling = { windowMs: 60_000 };

type Untold<E> = E extends ModelEvent ? Omit<E, "id" | "knownAt" | "origin"> : never;

/** Collects events of one source. An event's id is a digest of what it says, so that telling it again changes nothing. */
export class Teller {
  readonly events: ModelEvent[] = [];
  readonly notes: string[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  /** `of`: what it was made of, where others could say the same of something else. */
  tell(reference: string, knownAt: number, says: Untold<ModelEvent>, of = ""): void {
    const id = `${this.#source}:${sha256Hex(JSON.stringify(says) + of).slice(0, 32)}`;
    const origin = { source: this.#source, reference: boundedName(reference) };
    this.events.push({ ...says, id, knownAt, origin } as ModelEvent);
  }

  note(reference: string, what: string): void {
    this.notes.push(`${reference}: ${what}`);
  }

  get told(): Told {
    return { events: this.events, notes: this.notes };
  }
}

/** A node by the source's own name, made harmless. */
export function named(kind: NodeKind, name: string): NodeId {
  return nodeId(kind, boundedName(name === "" ? "(no name)" : name));
}

export { boundedName as nameOf, boundedText as textOf };

/** Tells documents that do not need one another, each for itself; the first that cannot be told refuses them all. */
export function tellEach(
  name: string,
  tell: (
    teller: Teller,
    document: SourceDocument,
  ) => Pick<SourceFault, "path" | "message"> | undefined,
): Source["tell"] {
  return (documents) => {
    const teller = new Teller(name);
    for (const document of documents) {
      const fault = tell(teller, document);
      if (fault !== undefined) return err({ reference: document.reference, ...fault });
    }
    return ok(teller.told);
  };
}
