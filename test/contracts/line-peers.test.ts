/** The contract of `LinePeers`, held by the real and the simulated alike. */
import { describe, expect, test } from "vitest";
import { childProcessPeers } from "../../src/adapters/child-process/index.ts";
import type { LinePeer, LinePeers, PeerCommand, TransportFailure } from "../../src/ports.ts";
import {
  FaultCounts,
  noPeerFaults,
  Random,
  SimClock,
  type SimLineAnswer,
  SimLinePeers,
} from "../../src/sim/index.ts";

const text = (line: Uint8Array): string => Buffer.from(line).toString();
const bytes = (line: string): Uint8Array => Buffer.from(line);
const lineBytesMax = 1_000;

/** Answers each line with itself; `die` ends it, `long` makes it write a line far over the limit, `two` two lines. */
const script = `
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  if (line === "die") process.exit(3);
  if (line === "long") return console.log("x".repeat(2_000));
  if (line === "two") return console.log("one\\r\\ntwo");
  console.log(line);
});`;

function answer(line: Uint8Array): SimLineAnswer {
  if (text(line) === "die") return { dies: "exit 3" };
  if (text(line) === "long") return [bytes("x".repeat(2_000))];
  return text(line) === "two" ? [bytes("one"), bytes("two")] : [line];
}

interface Kind {
  readonly peers: LinePeers;
  readonly command: PeerCommand["command"];
}

const kinds: Readonly<Record<string, () => Kind>> = {
  real: () => ({
    peers: childProcessPeers({ write: () => undefined }),
    command: [process.execPath, "-e", script],
  }),
  simulated: () => ({ peers: simulated(noPeerFaults), command: ["echo"] }),
};

for (const [name, make] of Object.entries(kinds))
  describe(`${name} line peer`, () => {
    const started = async (): Promise<LinePeer> => {
      const { peers, command } = make();
      const peer = await peers.start({ command, env: {}, lineBytesMax });
      if (!peer.ok) throw new Error(peer.error.detail);
      return peer.value;
    };

    test("answers lines in order, without their newlines", async () => {
      const peer = await started();
      for (const line of ["first", "two", "é"])
        expect(await peer.send(bytes(line))).toMatchObject({ ok: true });
      expect(await take(peer, 4)).toEqual(["first", "one", "two", "é"]);
      await peer.close();
      await peer.closed;
    });

    test("its death ends the lines and says why; then nothing is sent", async () => {
      const peer = await started();
      await peer.send(bytes("die"));
      expect(await peer.closed).toContain("exit 3");
      expect(await take(peer, 1)).toEqual([]);
      expect(await peer.send(bytes("x"))).toMatchObject({ ok: false, error: { kind: "not_sent" } });
    });

    test("a line over the limit breaks the reading", async () => {
      const peer = await started();
      await peer.send(bytes("long"));
      const failure = await take(peer, 1).catch((thrown: unknown) => thrown);
      expect((failure as TransportFailure).error).toMatchObject({
        kind: "unknown",
        reason: "too_large",
      });
      await peer.close();
    });

    test("what cannot be started was not sent anything", async () => {
      const { peers } = make();
      const peer = await peers.start({ command: ["/no/such/program"], env: {}, lineBytesMax });
      expect(peer).toMatchObject({ ok: false, error: { kind: "not_sent", reason: "refused" } });
    });
  });

test("the simulated peer dies before a line, and after it, and counts both", async () => {
  const counts = new FaultCounts();
  const acted: string[] = [];
  for (let i = 0; i < 60; i++) {
    const peers = simulated(
      { ...noPeerFaults, diesBeforeLine: 0.2, diesAfterLine: 0.2 },
      counts,
      acted,
      i,
    );
    const peer = await peers.start({ command: ["echo"], env: {}, lineBytesMax });
    if (!peer.ok) throw new Error(peer.error.detail);
    const before = acted.length;
    const sent = await peer.value.send(bytes("x"));
    const answers = await Promise.race([take(peer.value, 1), peer.value.closed.then(() => [])]);
    if (!sent.ok) expect(acted.length).toBe(before);
    if (answers.length === 1) expect(acted.length).toBe(before + 1);
  }
  expect(counts.of("peer.diesBeforeLine")).toBeGreaterThan(3);
  expect(counts.of("peer.diesAfterLine")).toBeGreaterThan(3);
});

function simulated(
  faults: typeof noPeerFaults,
  counts: FaultCounts = new FaultCounts(),
  acted: string[] = [],
  seed = 1,
): LinePeers {
  const program = (line: Uint8Array): SimLineAnswer => {
    acted.push(text(line));
    return answer(line);
  };
  const programs = new Map([["echo", () => program]]);
  return new SimLinePeers({
    clock: new SimClock(),
    random: new Random(seed),
    counts,
    faults,
    programs,
  });
}

async function take(peer: LinePeer, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  const lines = peer.lines[Symbol.asyncIterator]();
  while (taken.length < count) {
    const next = await lines.next();
    if (next.done) break;
    taken.push(text(next.value));
  }
  return taken;
}
