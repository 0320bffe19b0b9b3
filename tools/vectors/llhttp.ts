/**
 * HTTP/1.1 on the wire (llhttp), as raw bytes. Requests go to a front server with the HTTP face behind it, which forwards
 * to an upstream that reads by itself; into each message a Host is put, and nothing else is changed. What llhttp calls
 * an error must be refused, and neither face nor upstream may ever see more requests than llhttp does. Responses come
 * from an upstream to our transport; what llhttp calls an error must never be a whole answer.
 */
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { serveFront, undiciTransport } from "../../src/adapters/http/index.ts";
import { type FrontFace, httpTools, routed } from "../../src/gateway/index.ts";
import type { HttpTransport } from "../../src/ports.ts";
import { fakeIdentifier, fakeSpine, silentLog } from "../../test/fixtures/fake-spine.ts";
import { type Case, declined, failed, passed, refused, type VectorSet } from "./case.ts";
import { type LlhttpBlock, llhttpBlocks } from "./llhttp-blocks.ts";
import { type RawUpstream, rawUpstream } from "./raw-upstream.ts";

export const llhttpRequests: VectorSet = {
  name: "llhttp-requests",
  path: "llhttp-tests",
  source: "`test/request` of github.com/nodejs/llhttp",
  run: (path) => each(llhttpBlocks(join(path, "request")), askFront),
};

export const llhttpResponses: VectorSet = {
  name: "llhttp-responses",
  path: "llhttp-tests",
  source: "`test/response` of github.com/nodejs/llhttp",
  run: (path) => each(llhttpBlocks(join(path, "response")), answerTransport),
};

const atOnce = 40;

async function each(
  blocks: readonly LlhttpBlock[],
  judge: (block: LlhttpBlock) => Promise<Case>,
): Promise<readonly Case[]> {
  const left = [...blocks.entries()];
  const cases: Case[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      cases[next[0]] = await judge(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return cases;
}

async function askFront(block: LlhttpBlock): Promise<Case> {
  const upstream = await rawUpstream();
  const transport = undiciTransport({ addresses: "not_metadata" });
  const api = faceTo(upstream, transport);
  let asked = 0;
  const face: FrontFace = (request) => {
    asked += 1;
    return api(request);
  };
  const anyHost = { allowedHosts: ["*"], allowedOrigins: [] };
  const front = await serveFront(routed([{ prefix: "/", face }], anyHost), {
    ...{ host: "127.0.0.1", port: 0, log: silentLog },
    // What is not whole ends by these; nothing here waits for a clock otherwise.
    limits: { headersTimeoutMs: 300, requestTimeoutMs: 600, keepAliveTimeoutMs: 50 },
  });
  try {
    const answers = await conversation(front.port, withHosts(block));
    if (asked > block.complete)
      return failed(block.id, `the face was asked ${asked} times, llhttp saw ${block.complete}`);
    return requestVerdict(block, upstream, answers);
  } finally {
    await front.close(0);
    await transport.close();
    upstream.close();
  }
}

/** The HTTP face for one upstream, at the root. Everyone is known and everything allowed. */
function faceTo({ url }: RawUpstream, transport: HttpTransport): FrontFace {
  const api = {
    ...{ name: "api", baseUrl: url, headers: {}, forwardHeaders: [] },
    opaqueBodies: "digest" as const,
  };
  const face = httpTools({
    upstreams: new Map([["api", api]]),
    spine: fakeSpine(),
    identifier: { identify: () => fakeIdentifier.identify({}) },
    transport,
  });
  return (request) => face({ ...request, path: `/http/api${request.path}` });
}

/** Where a message begins with a request line and names no Host, one is put behind that line. */
function withHosts({ bytes, begins }: LlhttpBlock): Buffer {
  const text = bytes.toString("latin1");
  const messages = begins.map((begin, i) => {
    const message = text.slice(begin, begins[i + 1]);
    const [line = ""] = /^\S+ \S+ HTTP\/1\.[01]\r\n/.exec(message) ?? [];
    const [head = ""] = message.split("\r\n\r\n");
    const host = line === "" || /^host:/im.test(head) ? "" : "Host: a.test\r\n";
    return line + host + message.slice(line.length);
  });
  return Buffer.from(text.slice(0, begins[0]) + messages.join(""), "latin1");
}

/** The status of every answer until the server closes: after an error, a timeout, or when nothing more comes. */
async function conversation(port: number, bytes: Buffer): Promise<readonly number[]> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  let text = "";
  try {
    for await (const piece of socket) text += (piece as Buffer).toString("latin1");
  } catch {
    // Cut off, which is an answer too.
  }
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}

function requestVerdict(
  block: LlhttpBlock,
  { seen, problems }: RawUpstream,
  answers: readonly number[],
): Case {
  const { id, complete, begins, bodies, error, lenient } = block;
  if (problems[0] !== undefined) return failed(id, `the upstream received ${problems[0]}`);
  if (seen.length > complete)
    return failed(id, `the upstream saw ${seen.length} requests, llhttp ${complete}`);
  const changed = seen.findIndex(({ body }, i) => body.toString("latin1") !== bodies[i]);
  if (changed >= 0 && !lenient) return failed(id, `body ${changed} is another one`);
  const whole = complete > 0 && seen.length === complete && begins.length === complete;
  if (whole && !error) return passed(id);
  if (error || lenient || begins.length > complete) return refused(id);
  return declined(id, `status_${answers.find((status) => status >= 300) ?? "none"}`);
}

async function answerTransport(block: LlhttpBlock): Promise<Case> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(block.bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const transport = undiciTransport({ addresses: "not_metadata" });
  try {
    return responseVerdict(block, await received(transport, `http://127.0.0.1:${port}/`));
  } finally {
    await transport.close();
    server.close();
  }
}

/** The whole body, or why there is none. */
async function received(
  transport: HttpTransport,
  url: string,
): Promise<{ readonly body: string } | { readonly refusal: string }> {
  const times = { headTimeoutMs: 2_000, idleTimeoutMs: 2_000 };
  const sent = await transport.send({ method: "GET", url, headers: {}, ...times });
  if (!sent.ok) return { refusal: `${sent.error.kind}_${sent.error.reason}` };
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of sent.value.body) pieces.push(piece);
  } catch {
    return { refusal: "broken_body" };
  }
  return { body: Buffer.concat(pieces).toString("latin1") };
}

function responseVerdict(
  { id, complete, error, lenient, begins, bodies }: LlhttpBlock,
  answer: Awaited<ReturnType<typeof received>>,
): Case {
  const unfinished = begins.length > complete;
  if ("refusal" in answer)
    return error || lenient || unfinished ? refused(id) : declined(id, answer.refusal);
  if (error && complete === 0) return declined(id, "taken_by_the_client");
  const same = lenient || unfinished || bodies.includes(answer.body);
  return same ? passed(id) : failed(id, `its body is ${JSON.stringify(answer.body)}`);
}
