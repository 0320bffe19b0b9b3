/** An MCP server whose breaker is open is asked nothing, not even by the gateway for itself; and what cannot be sent twice. */
import { expect, test } from "vitest";
import type { Forwarded } from "../../../src/gateway/call.ts";
import { upstreamFace } from "../../../src/gateway/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import { fakeIdentifier, fakeSpine, realClock, silentLog } from "../../fixtures/fake-spine.ts";
import { front, rpc } from "./attacks/mcp-world.ts";

interface Answered {
  readonly type: string;
  readonly body: string;
}

function world(say: (method: string, id: unknown) => Answered, isHeld = () => false) {
  const methods: string[] = [];
  const forwards: Forwarded<unknown>[] = [];
  const spine = fakeSpine(({ tool }) => ({
    decision: tool === "bank:refused" ? "deny" : "allow",
  }));
  const govern: typeof spine.govern = (request, forward) =>
    spine.govern(request, async (judged) => {
      const forwarded = await forward(judged);
      forwards.push(forwarded);
      return forwarded;
    });
  const { face } = upstreamFace(
    {
      ...{ server: "bank", url: "http://bank.test/mcp", trusted: false, isHeld },
      transport: {
        send: async (request) => {
          const rpc = JSON.parse(new TextDecoder().decode(request.body ?? new Uint8Array()));
          methods.push(rpc.method);
          const { type, body } = say(rpc.method, rpc.id);
          async function* once(): AsyncGenerator<Uint8Array> {
            yield new TextEncoder().encode(body);
          }
          return ok({ status: 200, headers: { "content-type": type }, body: once() });
        },
      },
    },
    { spine: { ...spine, govern }, identifier: fakeIdentifier, clock: realClock, log: silentLog },
  );
  return { face, methods, forwards };
}

const json = (id: unknown, result: object): Answered => ({
  type: "application/json",
  body: JSON.stringify({ jsonrpc: "2.0", id, result }),
});

const call = (name: string) => front(rpc(1, "tools/call", { name, arguments: {} }));

test("a server that is held is not asked for its tools, whoever calls which", async () => {
  const held = { now: true };
  const { face, methods } = world(
    (_method, id) => json(id, { tools: [], content: [] }),
    () => held.now,
  );
  await face(call("refused"));
  expect(methods).toEqual([]);
  held.now = false;
  await face(call("refused"));
  expect(methods).toEqual(["tools/list"]);
});

test("once part of an answer has reached the client, the call says that it has begun", async () => {
  const { face, forwards } = world((method, id) =>
    method === "tools/list"
      ? json(id, { tools: [] })
      : {
          type: "text/event-stream",
          body: 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n',
        },
  );
  const response = await face(call("stream"));
  if (!(response.body instanceof Uint8Array)) for await (const _ of response.body);
  expect(forwards).toMatchObject([{ outcome: "unknown", hasBegun: true }]);
});
