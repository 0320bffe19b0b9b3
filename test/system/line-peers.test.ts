/** Child processes as line peers: what is written is read, and every way of ending is told. */
import { expect, test } from "vitest";
import { childProcessPeers } from "../../src/adapters/child-process/index.ts";
import type { LinePeer, PeerCommand } from "../../src/ports.ts";
import { silentLog } from "../fixtures/fake-spine.ts";

const peers = childProcessPeers(silentLog);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function command(script: string, lineBytesMax = 1_000): PeerCommand {
  return { command: [process.execPath, "-e", script], env: { ONLY: "this" }, lineBytesMax };
}

async function started(script: string, lineBytesMax?: number): Promise<LinePeer> {
  const peer = await peers.start(command(script, lineBytesMax));
  if (!peer.ok) throw new Error(peer.error.detail);
  return peer.value;
}

async function lines(peer: LinePeer): Promise<string[]> {
  const all: string[] = [];
  for await (const line of peer.lines) all.push(new TextDecoder().decode(line));
  return all;
}

test("lines go both ways, whole, in order, without their ends", async () => {
  const peer = await started("process.stdin.pipe(process.stdout)");
  const read = lines(peer);
  for (const line of ["one", "zwei ü", "x".repeat(900)])
    expect(await peer.send(bytes(line))).toMatchObject({ ok: true });
  await peer.close();
  expect(await read).toEqual(["one", "zwei ü", "x".repeat(900)]);
  expect(await peer.closed).toBe("exit 0");
  expect(await peer.send(bytes("late"))).toMatchObject({ ok: false, error: { kind: "not_sent" } });
});

test("the child gets the environment it was given, and nothing of ours", async () => {
  const peer = await started("console.log(Object.keys(process.env).join())");
  expect(await lines(peer)).toEqual(["ONLY"]);
});

test("a line over the limit ends the reading", async () => {
  const peer = await started("process.stdout.write('x'.repeat(5000)); setInterval(() => {}, 1000)");
  await expect(lines(peer)).rejects.toThrow(/too_large/);
  await peer.close();
});

test("a command that is not there never began", async () => {
  const peer = await peers.start({ command: ["/no/such/file"], env: {}, lineBytesMax: 10 });
  expect(peer).toMatchObject({ ok: false, error: { kind: "not_sent", reason: "refused" } });
});

test("a child that ignores the end of its input and SIGTERM is killed", async () => {
  const peer = await started(
    "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
  );
  const [first] = await Promise.all([peer.closed, peer.close()]);
  expect(first).toBe("SIGKILL");
});
