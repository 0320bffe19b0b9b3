/**
 * The payments API of the examples: `POST /payments`, `GET /payments`, `GET /payments/{id}`, in memory.
 *
 *   node examples/payments/server.ts PORT [JOURNAL]
 *
 * With a journal, each request is written to that file, one JSON object a line, before it is answered: what the upstream
 * really received. A write that repeats an `Idempotency-Key` gets the first answer again and does nothing.
 */
import { openSync, writeSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { argv, exit, stderr, stdout } from "node:process";
import { text } from "node:stream/consumers";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const [, , portArgument, journalPath] = argv;
const port = Number(portArgument);
if (portArgument === undefined || !Number.isInteger(port) || port < 0 || port > 65_535) {
  stderr.write("usage: server.ts PORT [JOURNAL]\n");
  exit(2);
}

const journal = journalPath === undefined ? undefined : openSync(journalPath, "a");
const payments = new Map<string, Record<string, unknown>>();
const byIdempotencyKey = new Map<string, Answer>();

function create(body: string): Answer {
  const problem = (detail: string): Answer => ({ status: 400, body: { error: detail } });
  let payment: unknown;
  try {
    payment = JSON.parse(body);
  } catch {
    return problem("the body is not JSON");
  }
  if (typeof payment !== "object" || payment === null) return problem("the body is not an object");
  const { amount, currency, account_id: account } = payment as Record<string, unknown>;
  if (typeof amount !== "number" || amount <= 0) return problem("amount must be a positive number");
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency))
    return problem("currency must be three letters");
  if (typeof account !== "string" || account === "") return problem("account_id is missing");
  const id = `pay_${payments.size + 1}`;
  const created = { id, status: "accepted", ...payment };
  payments.set(id, created);
  return { status: 201, body: created };
}

function createOnce(key: string | undefined, body: string): Answer {
  const before = key === undefined ? undefined : byIdempotencyKey.get(key);
  if (before !== undefined) return before;
  const answer = create(body);
  if (key !== undefined) byIdempotencyKey.set(key, answer);
  return answer;
}

function list(url: URL): Answer {
  const limit = Number(url.searchParams.get("limit") ?? 20);
  return { status: 200, body: { payments: [...payments.values()].reverse().slice(0, limit) } };
}

function read(id: string): Answer {
  const payment = payments.get(id);
  return payment === undefined
    ? { status: 404, body: { error: `there is no payment ${id}` } }
    : { status: 200, body: payment };
}

function answer(request: IncomingMessage, body: string): Answer {
  const url = new URL(request.url ?? "/", "http://localhost");
  const [, collection, id, ...more] = url.pathname.split("/");
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (collection !== "payments" || more.length > 0)
    return { status: 404, body: { error: "not found" } };
  if (method === "GET") return id === undefined ? list(url) : read(id);
  if (method === "POST" && id === undefined) {
    return createOnce([request.headers["idempotency-key"]].flat()[0], body);
  }
  return { status: 405, body: { error: `${method} is not allowed here` } };
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  if (journal !== undefined) {
    const { method, url, headers } = request;
    writeSync(journal, `${JSON.stringify({ time: Date.now(), method, url, headers, body })}\n`);
  }
  const { status, body: answered } = answer(request, body);
  response.writeHead(status, {
    "content-type": "application/json",
    ...(status === 201 ? { location: `/payments/${(answered as { id: string }).id}` } : {}),
  });
  response.end(JSON.stringify(answered));
}

const server = createServer((request, response) => {
  serve(request, response).catch((thrown: unknown) => response.destroy(thrown as Error));
});
server.listen(port, "127.0.0.1", () => {
  const address = server.address();
  const bound = typeof address === "object" ? address?.port : port;
  stdout.write(`payments: http://127.0.0.1:${bound}\n`);
});
