/** A server has no way around the decision on sampling: whatever is no answer never reaches the client unjudged. */
import { expect, test } from "vitest";
import { type FrontRequest, upstreamFace } from "../../../src/gateway/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import type { HttpRequest } from "../../../src/ports.ts";
import { fakeIdentifier, fakeSpine, realClock, silentLog } from "../../fixtures/fake-spine.ts";

const sampling = '"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}';
const answer = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}';
const event = (data: string): string => `data: ${data}\n\n`;

const legacy = '{"jsonrpc":"2.0","id":1,"method":"METHOD","params":{"name":"pay","uri":"x:y"}}';
const envelope =
  '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
const modern = legacy.replace('"uri"', `${envelope},"uri"`);

interface Exchanged {
  readonly told: string;
  /** What the server was sent after the request itself. */
  readonly sent: readonly string[];
  readonly governed: readonly string[];
}

/** Sends one request to a server that answers it with `text`, while policy denies everything that samples. */
async function exchanged(request: string, method: string, text: string): Promise<Exchanged> {
  const sent: string[] = [];
  const type = text.startsWith("data:") ? "text/event-stream" : "application/json";
  const send = async ({ body }: HttpRequest) => {
    const said = new TextDecoder().decode(body);
    if (!said.includes(`"${method}"`) && !said.includes("tools/list")) sent.push(said);
    const isOurs = said.includes(`"${method}"`) && !said.includes('"holdfast-');
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(isOurs ? text : "");
    }
    return ok({ status: 200, headers: { "content-type": type }, body: bytes() });
  };
  const spine = fakeSpine(({ tool }) => ({
    decision: tool.includes("sampling") ? "deny" : "allow",
  }));
  const { face } = upstreamFace(
    { server: "bank", url: "http://bank.test/mcp", trusted: false, transport: { send } },
    { spine, identifier: fakeIdentifier, clock: realClock, log: silentLog },
  );
  const headers = request.includes("2026-07-28")
    ? {
        "mcp-protocol-version": ["2026-07-28"],
        "mcp-method": [method],
        ...(/call|read/.test(method)
          ? { "mcp-name": [method === "tools/call" ? "pay" : "x:y"] }
          : {}),
      }
    : {};
  const front: FrontRequest = {
    method: "POST",
    path: "/mcp/bank",
    query: "",
    headers: { "content-type": ["application/json"], ...headers },
    body: new TextEncoder().encode(request.replace("METHOD", method)),
    signal: new AbortController().signal,
  };
  const { body } = await face(front);
  let told = "";
  if (body instanceof Uint8Array) told = new TextDecoder().decode(body);
  else for await (const piece of body) told += new TextDecoder().decode(piece);
  return { told, sent, governed: spine.seen.map(({ tool }) => tool) };
}

const question = `{"jsonrpc":"2.0","id":"q",${sampling}}`;
const inputRequired = (type: string): string =>
  `{"jsonrpc":"2.0","id":1,"result":{${type},"inputRequests":{"a":{${sampling}}}}}`;

for (const method of ["tools/call", "resources/list"]) {
  test(`${method}: denied on the stream, and the server is told`, async () => {
    const { told, sent, governed } = await exchanged(
      legacy,
      method,
      event(question) + event(answer),
    );
    expect(told).not.toContain("sampling");
    expect(told).toContain('"result"');
    expect(governed).toContain("bank:sampling/createMessage");
    await expect.poll(() => sent).toHaveLength(1);
    expect(JSON.parse(sent[0] ?? "")).toMatchObject({ id: "q", error: { code: -32003 } });
  });

  for (const [what, text] of [
    ["a doubled method", event(question.replace("{", '{"method":"ping",')) + event(answer)],
    ["a question as the whole answer", question],
    ["a batch as the whole answer", `[${question},${answer}]`],
    ["a batch on the stream", event(`[${question}]`) + event(answer)],
    ["an answer that is a question too", question.replace("{", '{"method":"x","result":{},')],
    ["a doubled id on the stream", event(question.replace("{", '{"id":1,')) + event(answer)],
  ] as const)
    test(`${method}: ${what} never reaches the client`, async () => {
      const { told } = await exchanged(legacy, method, text);
      expect(told).not.toContain("sampling/createMessage");
    });

  for (const [what, text] of [
    ["input_required", inputRequired('"resultType":"input_required"')],
    ["an escaped input_required", inputRequired('"resultType":"input_\\u0072equired"')],
    ["a doubled resultType", inputRequired('"resultType":"x","resultType":"input_required"')],
  ] as const)
    test(`${method}: ${what} with sampling is refused as a whole`, async () => {
      const { told } = await exchanged(modern, method, text);
      expect(told).not.toContain("inputRequests");
      expect(told).toMatch(/refused|Denied|withheld/);
    });
}

test("the first resultType does not hide the second", async () => {
  const text = inputRequired('"resultType":"complete","resultType":"input_required"');
  const { told } = await exchanged(modern, "resources/read", text);
  expect(told).not.toContain("inputRequests");
});

for (const [what, method, text] of [
  ["a list", "tools/list", inputRequired('"tools":[],"resultType":"input_required"')],
  [
    "a doubled result beside an error",
    "resources/list",
    inputRequired('"resultType":"input_required"').replace("{", '{"error":{},"result":{},'),
  ],
  [
    "an answer to another request",
    "resources/list",
    event(inputRequired('"resultType":"input_required"').replace('"id":1', '"id":2')) +
      event(answer),
  ],
] as const)
  test(`${what} hides no question`, async () => {
    const { told } = await exchanged(modern, method, text);
    expect(told).not.toContain("inputRequests");
    expect(told).not.toBe("");
  });

test("a refused question is answered with its own decision", async () => {
  const text = inputRequired('"resultType":"input_required"');
  const { told } = await exchanged(modern, "tools/call", text);
  const { result } = JSON.parse(told);
  expect(result["_meta"]["io.holdfast/decision"].decision).toBe("deny");
});
