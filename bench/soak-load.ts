/** The traffic of a soak: agents of every kind, as raw HTTP, so that the load costs less than what it loads. */
import { Agent, type Dispatcher } from "undici";
import type { Random } from "../src/sim/index.ts";
import { agentToken } from "../test/fixtures/tokens.ts";

/** One thing an agent does, maybe several requests. Resolves with how many; throws what was not as expected. */
type Step = (to: Target) => Promise<number>;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export class Target {
  readonly random: Random;
  readonly #url: string;
  readonly #agent = new Agent({ connections: 128, pipelining: 1, bodyTimeout: 30_000 });
  #ids = 0;

  constructor(url: string, random: Random) {
    this.#url = url;
    this.random = random;
  }

  nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  async ask(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    const answer = await this.#agent.request({
      ...{ origin: this.#url, path, method },
      headers: {
        authorization: `Bearer ${agentToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body ?? null,
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

function expectAnswer(answer: Answer, status: number, words = ""): Answer {
  if (answer.status === status && answer.text.includes(words)) return answer;
  throw new Error(
    `wanted ${status} ${words}, got ${answer.status} ${answer.text.slice(0, 400).replaceAll("\n", " ")}`,
  );
}

/** One request to an HTTP tool. */
function http(
  method: Dispatcher.HttpMethod,
  tool: string,
  status: number,
  body?: (random: Random) => unknown,
  headers?: Readonly<Record<string, string>>,
): Step {
  return async (to) => {
    const sent = body?.(to.random);
    const text = typeof sent === "string" || sent === undefined ? sent : JSON.stringify(sent);
    expectAnswer(await to.ask(method, `/http/api${tool}`, text, headers), status);
    return 1;
  };
}

/** A client that leaves before its answer. */
const leaves: Step = async (to) => {
  const gone = AbortSignal.timeout(15);
  await to.ask("GET", "/http/api/slow", undefined, {}, gone).then(
    () => undefined,
    () => undefined,
  );
  return 1;
};

const accept = { accept: "application/json, text/event-stream" } as const;
const modernVersion = "2026-07-28";
const legacyVersion = "2025-11-25";

/** A request of the stateless era. */
function modern(server: string, name: string, words: string, status = 200): Step {
  return async (to) => {
    const body = {
      ...{ jsonrpc: "2.0", id: to.nextId(), method: "tools/call" },
      params: {
        ...{ name, arguments: {} },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": modernVersion,
          "io.modelcontextprotocol/clientCapabilities": {},
          "io.modelcontextprotocol/clientInfo": { name: "soak", version: "1" },
        },
      },
    };
    const headers = {
      ...accept,
      "mcp-protocol-version": modernVersion,
      "mcp-method": "tools/call",
      "mcp-name": name,
    };
    expectAnswer(
      await to.ask("POST", `/mcp/${server}`, JSON.stringify(body), headers),
      status,
      words,
    );
    return 1;
  };
}

/** A whole session of the older era: opened, used, and mostly closed. */
function session(server: string, closes: (random: Random) => boolean): Step {
  return async (to) => {
    const path = `/mcp/${server}`;
    const say = (body: unknown, headers: Readonly<Record<string, string>>): Promise<Answer> =>
      to.ask("POST", path, JSON.stringify(body), { ...accept, ...headers });
    const request = (method: string, params: object): object => ({
      ...{ jsonrpc: "2.0", id: to.nextId(), method, params },
    });
    const clientInfo = { name: "soak", version: "1" };
    const hello = { protocolVersion: legacyVersion, capabilities: {}, clientInfo };
    const opened = expectAnswer(
      await say(request("initialize", hello), {}),
      200,
      "protocolVersion",
    );
    const id = opened.headers["mcp-session-id"];
    if (typeof id !== "string") throw new Error("the session has no id");
    const headers = { "mcp-session-id": id, "mcp-protocol-version": legacyVersion };
    await say({ jsonrpc: "2.0", method: "notifications/initialized" }, headers);
    expectAnswer(await say(request("tools/list", {}), headers), 200, "test_simple_text");
    for (const [name, words] of [
      ["test_simple_text", "simple text response"],
      ["test_image_content", "Denied"],
    ] as const)
      expectAnswer(await say(request("tools/call", { name, arguments: {} }), headers), 200, words);
    if (!closes(to.random)) return 5;
    expectAnswer(await to.ask("DELETE", path, undefined, headers), 200);
    return 6;
  };
}

const evaluation: Step = async (to) => {
  const body = {
    subject: { type: "agent", id: "somebody" },
    action: { name: "api:POST /charge" },
    resource: { type: "tool", id: "api:POST /charge" },
  };
  expectAnswer(
    await to.ask("POST", "/access/v1/evaluation", JSON.stringify(body)),
    200,
    "decision",
  );
  return 1;
};

const charge = (random: Random): unknown => ({
  amount: random.below(5_000),
  memo: "x".repeat(random.below(random.chance(0.02) ? 80_000 : 600)),
});
const card = (): unknown => ({ amount: 1, card_number: "4111111111111111" });

/** What agents do, and how often. */
const mix: readonly (readonly [weight: number, name: string, step: Step])[] = [
  [34, "http allow", http("POST", "/charge", 200, charge)],
  [8, "http sanitize", http("POST", "/card", 200, card)],
  [10, "http deny", http("POST", "/wipe", 403, charge)],
  [4, "http fault", http("GET", "/fault", 500)],
  [2, "http cut", http("GET", "/cut", 502)],
  [2, "http stream", http("GET", "/events", 200)],
  [3, "http no token", http("POST", "/charge", 401, charge, { authorization: "Bearer nobody" })],
  [3, "http bad json", http("POST", "/charge", 400, () => '{"a":1,"a":2}')],
  [2, "http client leaves", leaves],
  [12, "mcp modern allow", modern("both", "test_simple_text", "simple text response")],
  [4, "mcp modern deny", modern("both", "test_image_content", "Denied")],
  [3, "mcp modern tool error", modern("both", "test_error_handling", "isError")],
  [3, "mcp modern to older", modern("older", "test_simple_text", "simple text response")],
  [2, "mcp session", session("both", (random) => random.chance(0.96))],
  [1, "mcp session, older", session("older", () => true)],
  [1, "mcp session to stateless", session("stateless", (random) => random.chance(0.96))],
  [3, "authzen", evaluation],
];

export interface Done {
  readonly name: string;
  readonly requests: number;
  /** It was told that too many calls were under way: on a machine that is busy with other things, the right answer. */
  readonly turnedAway?: boolean;
  /** Present when it did not go as expected. */
  readonly wrong?: string;
}

/** How many requests a step comes to, on average. */
export const requestsPerStep: number = 1 + (4 * 5) / mix.reduce((sum, [weight]) => sum + weight, 0);

/** Does one thing, chosen by chance. */
export async function oneStep(to: Target): Promise<Done> {
  let at = to.random.below(mix.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, name, step] of mix) {
    at -= weight;
    if (at >= 0) continue;
    try {
      return { name, requests: await step(to) };
    } catch (thrown) {
      const wrong = String(thrown);
      const turnedAway = wrong.includes("too many calls are under way");
      return { name, requests: 1, ...(turnedAway ? { turnedAway } : { wrong }) };
    }
  }
  throw new Error("the weights add up");
}
