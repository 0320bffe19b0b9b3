/** A system-call trace of a running gateway: the decision is durable before a byte of the call leaves. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { client } from "../fixtures/client.ts";
import { temporaryFolder } from "../fixtures/processes.ts";
import { Site } from "../fixtures/site.ts";
import { readTrace, type SystemCall } from "../fixtures/strace.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test("the durable write of the decision entry completed before the call left for the upstream", async () => {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  const trace = join(folder.path, "trace");
  const site = await Site.prepare(folder.path);
  cleanups.push(() => site.end());
  const gateway = await site.gateway({
    under: ["strace", "-f", "-yy", "-ttt", "-s", "65536", "-o", trace, "-e", `trace=${traced}`],
  });
  cleanups.push(() => gateway.kill());
  const agent = client(gateway.url);
  const answer = await agent.post("/charge", { amount: 7 });
  await agent.close();
  expect(answer?.status).toBe(200);
  expect(site.received()).toHaveLength(1);
  const call = answer?.call ?? "";
  gateway.kill("SIGTERM");
  await gateway.exited;

  const { port } = new URL(site.upstream.url);
  const calls = readTrace(await readFile(trace, "utf8"));
  const { opened, recorded, sent } = story(calls, call, port);
  process.stdout.write(
    `entry written ${recorded.startedAt}, durable ${recorded.endedAt}, sent ${sent.startedAt}\n`,
  );
  // open(2): a write on such a file returns as if an fdatasync had followed it.
  expect(opened.text).toMatch(/O_WRONLY.*O_APPEND.*O_DSYNC/);
  expect(Number(opened.result)).toBe(descriptorOf(recorded));
  expect(Number(recorded.result)).toBeGreaterThan(500);
  // Lines of the trace are in the order of the kernel's events: completion of one, then beginning of the other.
  expect(opened.endLine).toBeLessThan(recorded.startLine);
  expect(recorded.endLine).toBeLessThan(sent.startLine);
  // And nothing of this call left earlier by any other way.
  const leaks = calls.filter((each) => each.startLine < recorded.endLine && isSend(each, port));
  expect(leaks).toEqual([]);
});

const traced = "openat,write,writev,pwrite64,pwritev,fdatasync,fsync,sendto,sendmsg,sendmmsg";

/** The opening of the journal, the write of the decision entry to it, and the first bytes to the upstream. */
function story(
  calls: readonly SystemCall[],
  call: string,
  port: string,
): { opened: SystemCall; recorded: SystemCall; sent: SystemCall } {
  const isJournal = ({ text }: SystemCall): boolean => text.includes("/log/journal/");
  const recorded = calls.find(
    (each) => each.name.startsWith("write") && isJournal(each) && each.text.includes(call),
  );
  const opened = calls.findLast(
    (each) =>
      each.name === "openat" &&
      isJournal(each) &&
      each.endLine < (recorded?.startLine ?? 0) &&
      Number(each.result) === (recorded && descriptorOf(recorded)),
  );
  const sent = calls.find((each) => isSend(each, port) && each.text.includes(call));
  if (!(opened && recorded && sent)) throw new Error("the trace does not show the call");
  return { opened, recorded, sent };
}

/** strace -yy writes `12</path>`. */
function descriptorOf({ text }: SystemCall): number {
  return Number.parseInt(text, 10);
}

function isSend({ name, text }: SystemCall, port: string): boolean {
  return name !== "openat" && new RegExp(`<TCP:\\[[^\\]]*->127\\.0\\.0\\.1:${port}\\]>`).test(text);
}
