/** Server-sent events (WHATWG HTML, "Interpreting an event stream"), read so that each can be passed on as its bytes. */

export interface SseEvent {
  /** The event exactly as it came, with its closing blank line. */
  readonly raw: Uint8Array;
  /** The `data` lines joined by a newline; undefined for a comment or a bare `id`/`retry`. */
  readonly data: string | undefined;
  readonly id: string | undefined;
}

/** One event was over the limit. The stream cannot be read further. */
export class SseOverflow extends Error {
  override readonly name = "SseOverflow";
}

const LF = 10;
const CR = 13;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Splits a byte stream into events. Throws `SseOverflow` on an event over `eventBytesMax`, and whatever the stream
 * throws. A last event without its blank line is dropped, as the standard says.
 */
export async function* sseEvents(
  bytes: AsyncIterable<Uint8Array>,
  eventBytesMax: number,
): AsyncGenerator<SseEvent> {
  const room = new Room();
  let held: Uint8Array = new Uint8Array();
  let searched = 0;
  for await (const piece of bytes) {
    held = held.length === 0 ? piece : room.joined(held, piece);
    for (;;) {
      const end = blockEnd(held, Math.max(0, searched - 3));
      if (end === undefined) break;
      yield eventOf(held.subarray(0, end));
      held = held.subarray(end);
      searched = 0;
    }
    searched = held.length;
    if (held.length > eventBytesMax) throw new SseOverflow(`event over ${eventBytesMax} bytes`);
  }
}

/** The event with its data replaced; `id`, `event`, `retry` and comments stay. */
export function withData(event: SseEvent, data: string): Uint8Array {
  const kept = linesOf(event.raw).filter((line) => line !== "" && fieldOf(line).name !== "data");
  const lines = [...kept, ...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)];
  return encoder.encode(`${lines.join("\n")}\n\n`);
}

/** A `message` event of our own. */
export function sseMessage(data: string): Uint8Array {
  return encoder.encode(
    `event: message\n${data
      .split(/\r\n|\r|\n/)
      .map((line) => `data: ${line}\n`)
      .join("")}\n`,
  );
}

/** Index just after the first blank line at or after `from`, or undefined. */
function blockEnd(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at < bytes.length; ) {
    const first = lineBreak(bytes, at);
    if (first === 0) {
      at += 1;
      continue;
    }
    const second = lineBreak(bytes, at + first);
    const pairs = bytes[at] !== CR || first === 2;
    // A CR at the very end may be half of a CRLF, except where lines end with CR alone.
    if (pairs && bytes[at + first] === CR && at + first + 1 === bytes.length) return undefined;
    if (second > 0) return at + first + second;
    at += first;
  }
  return undefined;
}

/** Length of the line break at `at`: 0, 1 or 2. */
function lineBreak(bytes: Uint8Array, at: number): number {
  if (bytes[at] === LF) return 1;
  if (bytes[at] !== CR) return 0;
  return bytes[at + 1] === LF ? 2 : 1;
}

function eventOf(raw: Uint8Array): SseEvent {
  const data: string[] = [];
  let id: string | undefined;
  for (const line of linesOf(raw)) {
    const field = fieldOf(line);
    if (field.name === "data") data.push(field.value);
    else if (field.name === "id") id = field.value;
  }
  return { raw, data: data.length === 0 ? undefined : data.join("\n"), id };
}

function linesOf(raw: Uint8Array): readonly string[] {
  return decoder.decode(raw).split(/\r\n|\r|\n/);
}

function fieldOf(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":");
  if (colon < 0) return { name: line, value: "" };
  const value = line.slice(colon + 1);
  return { name: line.slice(0, colon), value: value.startsWith(" ") ? value.slice(1) : value };
}

/**
 * Joins pieces with room to grow, so that an event of many small pieces is copied a few times and not once for each piece:
 * at 8 MB in pieces of 1 KB the difference is one between milliseconds and half a minute.
 */
class Room {
  #bytes = new Uint8Array();
  /** Where the next piece goes. What lies before it was given out and is never written again. */
  #end = 0;

  /** `held` is what the last call gave, or its end part. */
  joined(held: Uint8Array, piece: Uint8Array): Uint8Array {
    const ours = held.buffer === this.#bytes.buffer;
    if (!ours || this.#end + piece.length > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(2 * held.length, held.length + piece.length));
      this.#bytes.set(held);
      this.#end = held.length;
    }
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
    const start = this.#end - held.length - piece.length;
    return this.#bytes.subarray(start, this.#end);
  }
}
