/** A real nginx that asks the gate before each request (AG-403 4.2): 200 from this site's gate lets through, all else does not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nginxConfiguration } from "../../../src/adapters/nginx/index.ts";
import { DebianServer } from "../../fixtures/debian-server.ts";
import { freePort } from "../../fixtures/free-port.ts";

let gate: Server;
let gateway: Server;
let nginx: DebianServer;
let folder: string;
let url: string;
let reached: number;
let answerOfGate: RequestListener;

beforeEach(async () => {
  reached = 0;
  answerOfGate = (_request, answer) => answer.writeHead(503).end();
  gate = createServer((request, answer) => answerOfGate(request, answer));
  gateway = createServer((_request, answer) => {
    reached += 1;
    answer.end("done");
  });
  const [at, server, port] = [await listen(gate), await listen(gateway), await freePort()];
  folder = mkdtempSync(join(tmpdir(), "holdfast-nginx-"));
  const listening = `127.0.0.1:${port}`;
  const text = nginxConfiguration({ site: "fra", gate: at, server, listen: listening });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  writeFileSync(
    join(folder, "nginx.conf"),
    `pid ${folder}/pid; error_log stderr; events {}\nhttp { access_log off; ${paths}\n${text}\n}\n`,
  );
  url = `http://${listening}/mcp`;
  nginx = await DebianServer.start({
    ...{ program: "/usr/sbin/nginx", package: "nginx-light" },
    args: ["-c", join(folder, "nginx.conf"), "-e", "stderr", "-g", "daemon off; user root;"],
    ready: async () => (await fetch(url)).status > 0,
  });
  reached = 0;
});

afterEach(async () => {
  await nginx.kill();
  for (const server of [gate, gateway]) server.close().closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const post = async (): Promise<number> => (await fetch(url, { method: "POST", body: "{}" })).status;

test("open while the gate of this site says 200, closed at once when it says 503", async () => {
  expect(await post()).toBeGreaterThanOrEqual(500);
  answerOfGate = ({ url: asked }, answer) =>
    answer.writeHead(asked === "/gate/fra" ? 200 : 503).end();
  expect(await post()).toBe(200);
  answerOfGate = (_request, answer) => answer.writeHead(503).end();
  expect(await post()).toBeGreaterThanOrEqual(500);
  expect(reached).toBe(1);
});

const broken: readonly (readonly [string, RequestListener])[] = [
  ["says nothing", () => undefined],
  ["breaks the connection", (request) => request.socket.destroy()],
  ["answers garbage", (request) => request.socket.end("\u0000 200 OK\r\n\r\n")],
  ["redirects", (_request, answer) => answer.writeHead(302, { location: "/elsewhere" }).end()],
];

for (const [what, listener] of broken)
  test(`closed when the gate ${what}`, async () => {
    answerOfGate = listener;
    expect(await post()).toBeGreaterThanOrEqual(500);
    expect(reached).toBe(0);
  });

test("closed when the gate is dead", async () => {
  gate.close().closeAllConnections();
  expect(await post()).toBeGreaterThanOrEqual(500);
  expect(reached).toBe(0);
});
