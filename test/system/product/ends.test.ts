/** How processes end: killed in the middle of a call, asked to stop, and two under one command. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import { ask, type Process, supportBot, until, type World, world } from "./harness.ts";

const worlds: World[] = [];
afterEach(() => Promise.all(worlds.splice(0).map((one) => one.close())));

async function made(): Promise<World> {
  const one = await world();
  worlds.push(one);
  return one;
}

test("killed in the middle of a call: listed as unknown, and in the next start entry", async () => {
  const here = await made();
  const { gateway } = await here.both();
  expect((await here.http("POST", "/http/desk/items", { weight: 1 })).status).toBe(200);
  const held = here.desk.hold();
  const lost = here.http("POST", "/http/desk/items", { weight: 2 }).catch(() => "broken off");
  await held.arrived;
  await gateway.stop("SIGKILL");
  expect(await lost).toBe("broken off");
  expect(here.audit("verify").code).toBe(0);
  const call = here.entries().findLast(({ kind }) => kind === "decision")?.["call"];
  const again = await here.gateway();
  const unknown = here.audit("show", ["--unknown", "--json"]);
  expect(unknown.code).toBe(0);
  expect(
    unknown.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ kind: "decision", call, decision: "allow", tool: "desk:POST /items" }]);
  expect((await here.http("POST", "/http/desk/items", { weight: 3 })).status).toBe(200);
  expect(await again.stop()).toBe(0);
  const starts = here.entries().filter(({ kind }) => kind === "start");
  expect(starts).toMatchObject([{ unknown_calls: [] }, { unknown_calls: [call] }]);
  const verified = here.audit("verify");
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining(String(call))]);
  // Sent once; a restart repeats nothing.
  const sent = here.desk.seen.map(({ body }) => (JSON.parse(body) as { weight: number }).weight);
  expect(sent).toEqual([1, 2, 3]);
});

test("asked to stop: calls under way finish and are recorded, new ones are refused, streams are cut", async () => {
  const here = await made();
  const { gateway } = await here.both();
  // Its stream of notifications stays open for as long as it is let.
  const listener = await here.client("everything");
  expect(listener.getProtocolEra()).toBe("legacy");
  expect((await here.client("everything", auto)).getProtocolEra()).toBe("modern");
  const held = here.desk.hold();
  const running = here.http("POST", "/http/desk/items", { weight: 1 });
  const late = partial(here, "/http/desk/items");
  await Promise.all([held.arrived, late.connected]);
  gateway.child.kill("SIGTERM");
  await gateway.line("gateway_stopping");
  await until("no new connections", () =>
    ask(`${here.gatewayUrl}/livez`).then(
      () => undefined,
      () => true,
    ),
  );
  late.finish('{"weight":2}');
  const refused = JSON.parse(await late.said) as unknown;
  expect(refused).toMatchObject({ decision: "deny", refusal: "stopping" });
  const released = performance.now();
  held.release();
  const answer = await running;
  expect([answer.status, answer.headers.get("holdfast-decision")]).toEqual([200, "allow"]);
  expect(await gateway.exit).toBe(0);
  expect(performance.now() - released).toBeLessThan(5_000);
  const kinds = here.entries().map(({ kind, outcome }) => outcome ?? kind);
  expect(kinds).toEqual(["start", "policy", "decision", "ok"]);
  expect(here.desk.seen).toHaveLength(1);
});

/** A request whose body is yet to come. */
function partial(
  here: World,
  path: string,
): { connected: Promise<void>; finish(body: string): void; said: Promise<string> } {
  const headers = { authorization: `Bearer ${supportBot}`, "content-type": "application/json" };
  const sent = request(`${here.gatewayUrl}${path}`, {
    method: "POST",
    headers: { ...headers, expect: "100-continue" },
  });
  // The gateway has read the head when it asks for the body.
  const connected = new Promise<void>((done) => sent.once("continue", () => done()));
  const said = new Promise<string>((done, failed) => {
    sent.once("error", failed);
    sent.once("response", (response) => void text(response).then(done, failed));
  });
  sent.flushHeaders();
  return { connected, finish: (body) => sent.end(body), said };
}

async function upAndReady(here: World): Promise<{ up: Process; children: readonly number[] }> {
  const up = here.start("up");
  for (const url of [here.controlUrl, here.gatewayUrl])
    await until(`${url} ready`, () =>
      ask(`${url}/readyz`).then(
        ({ status }) => (status === 200 ? true : undefined),
        () => undefined,
      ),
    );
  const listed = readFileSync(`/proc/${up.pid}/task/${up.pid}/children`, "utf8");
  return { up, children: listed.trim().split(" ").map(Number) };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("up ends with 1 and ends the other when one dies, whichever it is; with 0 when asked to", async () => {
  const here = await made();
  for (const [victim, name] of [
    [0, "control"],
    [1, "gateway"],
  ] as const) {
    const { up, children } = await upAndReady(here);
    process.kill(children[victim] ?? 0, "SIGKILL");
    expect(await up.exit).toBe(1);
    expect(up.log).toContain(`holdfast: ${name} ended with SIGKILL; stopping the others`);
    expect(children.map(alive)).toEqual([false, false]);
  }
  const { up, children } = await upAndReady(here);
  expect((await here.http("POST", "/http/desk/items", { weight: 1 })).status).toBe(200);
  expect(await up.stop()).toBe(0);
  expect(children.map(alive)).toEqual([false, false]);
  expect(here.audit("verify").code).toBe(0);
});
