/** One body, two readings: what the gateway judged must be what any upstream would read. */
import { expect, test } from "vitest";
import { answer, front, rpc, textOf, world } from "./mcp-world.ts";

const calm = (): ReturnType<typeof world> => world((_, { id }) => answer(id, {}));

test.each([
  ["utf-7 charset", { "content-type": "application/json; charset=utf-7" }],
  ["utf-16 charset", { "content-type": "application/json;charset=UTF-16LE" }],
  ["content encoding", { "content-encoding": "gzip" }],
])(
  "%s: a body that another reader would decode to other members is refused",
  async (_, headers) => {
    const { face, sent, spine } = calm();
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"ping","x":"+ACIALAAi-method+ACIAOgAi-tools/call+ACI-"}';
    expect((await face(front(body, headers))).status).toBe(415);
    expect([sent, spine.seen]).toEqual([[], []]);
  },
);

test.each([
  ["a raw request that is a call", '"method":"ping","Method":"tools/call"'],
  ["another tool", '"method":"tools/call","params":{"name":"read","Name":"pay"}'],
  ["arguments under another case", '"method":"tools/call","params":{"name":"pay","Arguments":{}}'],
  ["an argument twice", '"method":"tools/call","params":{"name":"x","arguments":{"a":1,"A":2}}'],
  ["long s", '"method":"tools/call","param\u017f":{"name":"pay"}'],
  ["an answer that is a call", '"result":{},"METHOD":"tools/call","PARAMS":{"name":"pay"}'],
  ["a near argument", '"method":"tools/call","params":{"name":"pay","arguments":{"Amount":9}}'],
  [
    "a near argument inside",
    '"method":"tools/call","params":{"name":"pay","arguments":{"to":[{"IBAN":1}]}}',
  ],
])("names that differ by case: %s", async (_, members) => {
  const { face, sent, spine } = calm();
  const response = await face(front(`{"jsonrpc":"2.0","id":1,${members}}`));
  expect(await textOf(response.body)).toMatch(/"error"/);
  expect([sent, spine.seen]).toEqual([[], []]);
});

test("headers that carry rights or a method do not cross; the content type is the gateway's own", async () => {
  const { face, sent } = calm();
  const hostile = {
    "x-forwarded-user": "root",
    "x-http-method-override": "DELETE",
    "x-api-key": "agent-token",
    "proxy-authorization": "Basic x",
    forwarded: "for=1.2.3.4",
    "content-type": 'application/json; charset="UTF-8"',
  };
  await face(front(rpc(1, "tools/call", { name: "pay", arguments: {} }), hostile));
  const names = Object.keys(sent[0]?.headers ?? {}).sort();
  expect(names).toEqual(["content-type", "idempotency-key", "traceparent"]);
  expect(sent[0]?.headers["content-type"]).toBe("application/json");
});

test("a tool named like a method is not called: its id would be that of the method", async () => {
  const { face, sent, spine } = calm();
  await face(front(rpc(1, "tools/call", { name: "resources/read", arguments: { uri: "x" } })));
  expect([sent, spine.seen]).toEqual([[], []]);
});

test("a method named like a tool is not sent under the tool's id", async () => {
  const { face, sent, spine } = calm();
  await face(front(rpc(1, "pay", { amount: 1 })));
  expect([sent, spine.seen]).toEqual([[], []]);
});
