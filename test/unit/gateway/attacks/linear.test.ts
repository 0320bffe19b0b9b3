/**
 * Work that must grow with the size of what came, not with its square. Where it did, each of these took minutes; the
 * time limit of a test is the guard.
 */
import { expect, test } from "vitest";
import { sseEvents } from "../../../../src/gateway/mcp/wire/sse.ts";
import { nearArgument } from "../../../../src/gateway/near-names.ts";
import type { JsonObject } from "../../../../src/kernel/index.ts";

test("an event of 12 MB that comes in pieces of 128 bytes", async () => {
  const pieces = 100_000;
  async function* trickle(): AsyncGenerator<Uint8Array> {
    const piece = new Uint8Array(128).fill(0x61);
    yield Buffer.from(": first\n\ndata: ");
    for (let i = 0; i < pieces; i++) yield piece;
    yield Buffer.from("\n\ndata: last\n\n");
  }
  const seen: (number | undefined)[] = [];
  for await (const event of sseEvents(trickle(), 1 << 24)) seen.push(event.data?.length);
  expect(seen).toEqual([undefined, pieces * 128, 4]);
});

test("a list of a million arguments, each held against a schema of a thousand names", () => {
  const names = Array.from({ length: 1_000 }, (_, i) => [`name${i}`, { type: "string" }]);
  const item = { type: "object", properties: Object.fromEntries(names) };
  const schema = { type: "object", properties: { list: { type: "array", items: item } } };
  const list: JsonObject[] = Array.from({ length: 1_000_000 }, () => ({}));
  expect(nearArgument({ list }, schema)).toBe(undefined);
  list.push({ Name7: 1 });
  expect(nearArgument({ list }, schema)).toBe("arguments.list[1000000].Name7");
});
