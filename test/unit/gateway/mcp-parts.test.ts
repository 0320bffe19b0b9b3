/** The small parts of the MCP face, by property. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mailbox } from "../../../src/gateway/mcp/wire/mailbox.ts";
import { Outlet } from "../../../src/gateway/mcp/wire/outlet.ts";
import {
  decodeHeaderValue,
  encodeHeaderValue,
  paramHeaderFault,
  paramHeadersFor,
  paramHeadersOf,
} from "../../../src/gateway/mcp/wire/param-headers.ts";
import { sseEvents, sseMessage, withData } from "../../../src/gateway/mcp/wire/sse.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (raw: Uint8Array): string => new TextDecoder().decode(raw);

async function* pieces(whole: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(cut, whole.length);
    if (to > from) yield whole.subarray(from, to);
    from = Math.max(from, to);
  }
  yield whole.subarray(from);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("server-sent events", () => {
  const lineBreak = fc.constantFrom("\n", "\r\n");
  const event = fc
    .record({
      data: fc.array(fc.string({ unit: "grapheme" }).map((s) => s.replace(/[\r\n]/g, " "))),
      id: fc.option(fc.nat()),
    })
    .filter(({ data, id }) => data.length > 0 || id !== null);

  test("however the bytes are cut, the same events come, and together they are the bytes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(event),
        lineBreak,
        fc.array(fc.nat(400)),
        async (events, eol, cuts) => {
          const stream = events
            .map(({ data, id }) =>
              [
                ...(id === null ? [] : [`id: ${id}`]),
                ...data.map((line) => `data: ${line}`),
                "",
                "",
              ].join(eol),
            )
            .join("");
          const got = await collect(sseEvents(pieces(bytes(stream), cuts), 1_000_000));
          expect(got.map(({ raw }) => text(raw)).join("")).toBe(stream);
          expect(got.map(({ data }) => data)).toEqual(
            events.map(({ data }) => (data.length === 0 ? undefined : data.join("\n"))),
          );
        },
      ),
    ));

  for (const eol of ["\n", "\r\n", "\r"])
    test(`every cut of two events with line ends ${JSON.stringify(eol)}`, async () => {
      const stream = `id: 1${eol}data: a${eol}${eol}data: b${eol}${eol}`;
      for (let cut = 1; cut < stream.length; cut++) {
        const got = await collect(sseEvents(pieces(bytes(stream), [cut]), 1_000));
        expect(got.map(({ raw }) => text(raw)).join("")).toBe(stream);
        expect(got.map(({ data }) => data)).toEqual(["a", "b"]);
      }
    });

  test("replacing the data keeps id, event and retry", async () => {
    const raw = bytes(": hi\nid: 7\nevent: message\nretry: 50\ndata: old\n\n");
    const [one] = await collect(sseEvents(pieces(raw, []), 1_000));
    if (one === undefined) throw new Error("one event is expected");
    const again = await collect(sseEvents(pieces(withData(one, '{"a":\n1}'), []), 1_000));
    expect(again[0]).toMatchObject({ id: "7", data: '{"a":\n1}' });
    expect(text(withData(one, "x"))).toContain("retry: 50");
  });

  test("an event over the limit is not held in memory", async () => {
    const endless = pieces(sseMessage("x".repeat(2_000)), [500, 1_000, 1_500]);
    await expect(collect(sseEvents(endless, 600))).rejects.toThrow(/over 600/);
  });
});

describe("mirrored parameters", () => {
  test("every text survives the header and is visible ASCII there", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const encoded = encodeHeaderValue(value);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeHeaderValue(encoded)).toBe(value);
      }),
    ));

  const schema: JsonObject = {
    type: "object",
    properties: {
      region: { type: "string", "x-mcp-header": "Region" },
      deep: { type: "object", properties: { n: { type: "integer", "x-mcp-header": "N" } } },
      list: { type: "array", items: { type: "string", "x-mcp-header": "Never" } },
    },
  };

  test("only properties reached by `properties` alone count", () => {
    const found = paramHeadersOf(schema).map(({ header }) => header);
    expect(found).toEqual(["mcp-param-region", "mcp-param-n"]);
  });

  test("headers made from arguments always agree with them, and a changed argument is found", () =>
    fc.assert(
      fc.property(fc.string(), fc.integer(), fc.string(), (region, n, other) => {
        const declared = paramHeadersOf(schema);
        const { set } = paramHeadersFor(declared, { region, deep: { n } });
        const sent = Object.fromEntries(Object.entries(set).map(([k, v]) => [k, [v]]));
        expect(paramHeaderFault(declared, { region, deep: { n } }, sent)).toBeUndefined();
        if (other !== region)
          expect(paramHeaderFault(declared, { region: other, deep: { n } }, sent)).toBeDefined();
      }),
    ));
});

describe("outlet and mailbox", () => {
  test("pieces come in order, and writes after the end are dropped", async () => {
    const outlet = new Outlet(new AbortController().signal);
    outlet.begin(200, {});
    const { body } = await outlet.response;
    const read = collect(body as AsyncIterable<Uint8Array>);
    for (const piece of ["a", "b", "c"]) await outlet.write(bytes(piece));
    outlet.end();
    await outlet.write(bytes("late"));
    expect((await read).map(text)).toEqual(["a", "b", "c"]);
  });

  test("a client that leaves before reading does not hold the writer", async () => {
    const gone = new AbortController();
    const outlet = new Outlet(gone.signal);
    outlet.begin(200, {});
    const written = outlet.write(bytes("a"));
    gone.abort();
    await written;
    expect(outlet.closed).toBe(true);
  });

  test("a mailbox gives what it holds before it ends or fails", async () => {
    const box = new Mailbox<number>();
    const puts = [box.put(1), box.put(2)];
    box.end(new Error("gone"));
    expect([await box.next(), await box.next()]).toEqual([1, 2]);
    await Promise.all(puts);
    await expect(box.next()).rejects.toThrow("gone");
    const closed = new Mailbox<number>();
    const held = closed.put(1);
    closed.close();
    await held;
    expect(await closed.next()).toBeUndefined();
  });
});
