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

test("fdatasync of the decision entry completed before the call left for the upstream", async () => {
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
  const { recorded, synced, sent } = story(calls, call, port);
  process.stdout.write(
    `entry written ${recorded.startedAt}, synced ${synced.endedAt}, sent ${sent.startedAt}\n`,
  );
  expect(synced.result).toBe("0");
  // Lines of the trace are in the order of the kernel's events: completion of one, then beginning of the other.
  expect(recorded.endLine).toBeLessThan(synced.startLine);
  expect(synced.endLine).toBeLessThan(sent.startLine);
  // And nothing of this call left earlier by any other way.
  const leaks = calls.filter((each) => each.startLine < synced.endLine && isSend(each, port));
  expect(leaks).toEqual([]);
});

const traced = "write,writev,pwrite64,pwritev,fdatasync,fsync,sendto,sendmsg,sendmmsg";

/** The write of the decision entry, the sync that made it durable, and the first bytes to the upstream. */
function story(
  calls: readonly SystemCall[],
  call: string,
  port: string,
): { recorded: SystemCall; synced: SystemCall; sent: SystemCall } {
  const isJournal = ({ text }: SystemCall): boolean => text.includes("/log/journal/");
  const recorded = calls.find((each) => isJournal(each) && each.text.includes(call));
  const synced = calls.find(
    (each) =>
      each.name === "fdatasync" && isJournal(each) && each.startLine > (recorded?.endLine ?? 0),
  );
  const sent = calls.find((each) => isSend(each, port) && each.text.includes(call));
  if (!(recorded && synced && sent)) throw new Error("the trace does not show the call");
  return { recorded, synced, sent };
}

function isSend({ name, text }: SystemCall, port: string): boolean {
  return (
    name !== "fdatasync" && new RegExp(`<TCP:\\[[^\\]]*->127\\.0\\.0\\.1:${port}\\]>`).test(text)
  );
}
