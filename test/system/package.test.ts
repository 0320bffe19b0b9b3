/** The package as a user gets it: packed, installed into an empty folder, run there. On this Node and on an older one. */
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { version } from "../../src/main/version.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-package-"));
const command = join(folder, "node_modules/.bin/holdfast");
const startTimeoutMs = 20_000;

/** The Node of the machine, where it is older than the one Holdfast needs. */
const olderNode =
  ["/usr/bin/node", "/usr/local/bin/node"].find((path) => existsSync(path) && majorOf(path) < 24) ??
  "";

let packed: readonly string[] = [];

beforeAll(async () => {
  const out = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // The build speaks first; what npm says of the package is the array after it.
  const [pack] = JSON.parse(out.slice(out.search(/^\[/m))) as [
    { filename: string; files: { path: string }[] },
  ];
  packed = pack.files.map(({ path }) => path);
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", `./${pack.filename}`], {
    cwd: folder,
    stdio: "ignore",
  });
  await writeExample();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("it holds the build, the schemas, the drills and the documents, and no source, test or example", () => {
  const outside = packed.filter(
    (path) =>
      !/^(?:bin\/holdfast\.mjs|dist\/.+\.js|drills\/[a-z-]+\.json|schemas\/.+\.(?:schema\.json|openapi\.json|sql))$/.test(
        path,
      ),
  );
  expect(outside.sort()).toEqual(["LICENSE", "README.md", "package.json"]);
  expect(packed).toContain("dist/main.js");
  expect(packed).toContain("drills/freeze.json");
  expect(packed.filter((path) => path.startsWith("dist/sim/"))).toEqual([]);
});

test("npx holdfast --version", () => {
  const ran = spawnSync("npx", ["--no-install", "holdfast", "--version"], inFolder);
  expect(ran.stdout.trim()).toBe(version);
});

test("up until ready, stopped by a signal, and the log verifies", async () => {
  await runUntilReady(process.execPath);
  const verified = run(process.execPath, "audit", "verify", ".holdfast/log");
  expect(verified.stderr + verified.stdout).toContain("verified: ");
  expect(verified.status).toBe(0);
});

test.runIf(olderNode !== "")("an older Node starts it on the Node that came with it", async () => {
  expect(run(olderNode, "--version").stdout.trim()).toBe(version);
  expect(run(olderNode, "policy", "check", "nowhere").status).toBe(2);
  await runUntilReady(olderNode);
});

const inFolder = { cwd: folder, encoding: "utf8" } as const;

function run(node: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(node, [command, ...args], inFolder);
}

function majorOf(node: string): number {
  return Number(/^v(\d+)/.exec(execFileSync(node, ["--version"], { encoding: "utf8" }))?.[1]);
}

/** Starts `holdfast up`, waits until both processes are ready, and asks it to stop; it must end with 0. */
async function runUntilReady(node: string): Promise<void> {
  const running = spawn(node, [command, "up"], { cwd: folder, stdio: "ignore" });
  const ended = new Promise<number | null>((done) => running.once("exit", (code) => done(code)));
  try {
    for (const port of ports) await ready(`http://127.0.0.1:${port}/readyz`);
  } finally {
    running.kill("SIGTERM");
  }
  expect(await ended).toBe(0);
  await expect(fetch(`http://127.0.0.1:${ports[0]}/livez`)).rejects.toThrow();
}

async function ready(url: string): Promise<void> {
  const until = performance.now() + startTimeoutMs;
  let last = "no answer";
  while (performance.now() < until) {
    const answer = await fetch(url).catch((thrown: unknown) => String(thrown));
    if (typeof answer !== "string" && answer.ok) return;
    last = typeof answer === "string" ? answer : await answer.text();
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`${url} did not become ready: ${last}`);
}

const ports: number[] = [];

async function writeExample(): Promise<void> {
  ports.push(await freePort(), await freePort());
  mkdirSync(join(folder, "policies"));
  writeFileSync(
    join(folder, "policies/first.yaml"),
    "policy: first\nrules:\n  - { id: look, match: { tools: 'files:*' }, outcome: allow }\n",
  );
  const config = [
    "# yaml-language-server: $schema=./node_modules/holdfast/schemas/config.schema.json",
    `listen: 127.0.0.1:${ports[0]}`,
    `control: { listen: 127.0.0.1:${ports[1]} }`,
    "data: .holdfast",
    "policies: policies",
    "upstreams:",
    "  files: { http: { base_url: http://127.0.0.1:9 } }",
  ];
  writeFileSync(join(folder, "holdfast.yaml"), `${config.join("\n")}\n`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
