/** Sessions, ids and streams: what one request or one agent may learn through those of another. */
import { expect, test } from "vitest";
import {
  answer,
  front,
  openSession,
  rpc,
  stream,
  textOf,
  tools,
  type World,
  world,
} from "./mcp-world.ts";

const session = { authorization: "Bearer eve", "mcp-session-id": "s-eve" };

/** Waits with each answer to `held` until `release` is called. */
function slowWorld(
  held: string,
  result: object,
): { readonly it: World; readonly release: () => void } {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((done) => {
    release = done;
  });
  const it = world(async (request, { id, method }) => {
    if (method === "initialize") {
      const agent = "s-eve";
      return { ...answer(id, {}), headers: { "mcp-session-id": agent } };
    }
    if (method === held) await gate;
    if (request.method === "GET") return stream(answer(7, { tools }).body);
    return method === "tools/list" ? answer(id, { tools }) : stream(answer(id, result).body);
  });
  return { it, release };
}

test("two lists of one id: neither shows what is hidden", async () => {
  const { it, release } = slowWorld("tools/list", {});
  await openSession(it.face, "eve");
  const both = [1, 2].map(() => it.face(front(rpc(5, "tools/list"), session)));
  release();
  for (const { body } of await Promise.all(both)) expect(await textOf(body)).not.toMatch(/hidden/);
});

test.each(["1.0", "1e0", '"\\u0061"'])(
  "id %s, echoed as it was: the list is filtered",
  async (id) => {
    const it = world(() => ({
      body: `{"jsonrpc":"2.0","id":${id},"result":{"tools":${JSON.stringify(tools)}}}`,
    }));
    const { body } = await it.face(front(`{"jsonrpc":"2.0","id":${id},"method":"tools/list"}`));
    expect(await textOf(body)).toMatch(/pay/);
    expect(await textOf(body)).not.toMatch(/hidden/);
  },
);

test.each([
  ["twice", `{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":${JSON.stringify(tools)}}}`],
  [
    "in a second result",
    `{"id":1,"error":{},"result":{},"result":{"tools":${JSON.stringify(tools)}}}`,
  ],
])("a list that stands %s is not shown", async (_, body) => {
  const { face } = world(() => ({ body }));
  const shown = await textOf((await face(front(rpc(1, "tools/list")))).body);
  expect(shown).not.toMatch(/hidden/);
});

test("a list that is sent again on a resumed stream is filtered again", async () => {
  const { it, release } = slowWorld("", {});
  release();
  await openSession(it.face, "eve");
  const first = await it.face(front(rpc(1, "tools/call", { name: "pay" }), session));
  expect(await textOf(first.body)).toMatch(/id: e0/);
  const again = await it.face(front("", { ...session, "last-event-id": "e0" }, "GET"));
  expect(await textOf(again.body)).toMatch(/pay/);
  expect(await textOf(again.body)).not.toMatch(/hidden/);
});

test("a request cannot take the place of an open call, and so keep its answer out of the record", async () => {
  const { it, release } = slowWorld("tools/call", { content: [{ text: "paid" }] });
  await openSession(it.face, "eve");
  const call = it.face(front(rpc(1, "tools/call", { name: "pay" }), session));
  await new Promise((later) => setTimeout(later, 5));
  const list = await it.face(front(rpc(1, "tools/list"), session));
  expect(list.status).toBe(400);
  release();
  expect(await textOf((await call).body)).toMatch(/io.holdfast\/decision/);
  expect(it.spine.outcomes).toEqual(["ok"]);
});

test("another's session: not by its id, not in the era without sessions, not with two headers", async () => {
  const { it, release } = slowWorld("", {});
  release();
  await openSession(it.face, "eve");
  const before = it.sent.length;
  const mallory = { ...session, authorization: "Bearer mallory" };
  expect((await it.face(front(rpc(1, "ping"), mallory))).status).toBe(404);
  expect((await it.face(front("", mallory, "DELETE"))).status).toBe(404);
  const twice = { ...mallory, "mcp-session-id": ["s-eve", "x"] };
  expect((await it.face(front("", twice, "GET"))).status).toBe(400);
  expect(it.sent.length).toBe(before);
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const modern = { ...mallory, "mcp-protocol-version": "2026-07-28", "mcp-method": "ping" };
  await it.face(front(rpc(1, "ping", { _meta }), modern));
  expect(it.sent.at(-1)?.headers["mcp-session-id"]).toBe(undefined);
});

test("a question of the server is answered once, and only by the session it was put to", async () => {
  const question = '{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{}}';
  const it = world((_, { id, method }) => {
    if (method === "initialize")
      return { ...answer(id, {}), headers: { "mcp-session-id": "s-eve" } };
    return method === "tools/call" ? stream(question, answer(id, {}).body) : { body: "" };
  });
  await openSession(it.face, "eve");
  const yes = { jsonrpc: "2.0", id: 9, result: { action: "accept" } };
  const say = async (headers: Record<string, string>): Promise<number> =>
    (await it.face(front(yes, headers))).status;
  expect(await say(session)).toBe(400);
  const call = await it.face(front(rpc(1, "tools/call", { name: "pay" }), session));
  expect(await textOf(call.body)).toMatch(/elicitation/);
  expect(await say({ authorization: "Bearer mallory" })).toBe(400);
  expect(await say({ ...session, authorization: "Bearer mallory" })).toBe(404);
  expect(await say(session)).toBe(200);
  expect(await say(session)).toBe(400);
});

test("a stream is resumed only from an event that this session was shown", async () => {
  const { it, release } = slowWorld("", {});
  release();
  await openSession(it.face, "eve");
  const guess = await it.face(front("", { ...session, "last-event-id": "e17" }, "GET"));
  expect(guess.status).toBe(400);
  const without = await it.face(front("", { "last-event-id": "e0" }, "GET"));
  expect(without.status).toBe(400);
  expect(it.sent.filter(({ method }) => method === "GET")).toEqual([]);
});
