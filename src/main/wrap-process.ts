/**
 * `holdfast mcp wrap -- <command …>`: the same enforcement around one stdio MCP server, for desktop clients that start
 * their servers themselves. One process: policy is published and read in it; the log is a folder of its own.
 */
import { basename, join } from "node:path";
import { childProcessPeers, standardLines } from "../adapters/child-process/index.ts";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { Config, WrapOptions } from "../cli/index.ts";
import { bridgeUrl, StdioBridge, upstreamFace, wrapStdio } from "../gateway/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import { type DataPlane, followAll, openDataPlane } from "./gateway-process.ts";
import { identifierOf } from "./identities.ts";
import { complain } from "./process.ts";
import { type Publishing, startPublishing } from "./publishing.ts";
import { toolPinsOf } from "./tool-pins.ts";

const policyWaitMs = 10_000;

/** Serves standard input and output until the client closes its side. 0 then; 1 when it could not start. */
export async function wrap(configured: Config, options: WrapOptions): Promise<number> {
  const { server, token, command } = options;
  const [program, ...args] = command;
  if (program === undefined) return complain("mcp wrap", "name the server's program after --");
  if (token === "")
    return complain("mcp wrap", `put the agent's token into the variable ${options.tokenEnv}`);
  // The wrapped server is none of the configured upstreams, and nobody could send it anything later.
  const own = { data: join(configured.data, "wrap", server), upstreams: {} };
  const config: Config = { ...configured, ...own };
  const opened = await openDataPlane(config, `wrap-${server}`);
  if (!opened.ok) return complain("mcp wrap", opened.error);
  const plane = opened.value;
  const identifier = await identifierOf(config, {
    clock: systemClock,
    http: plane.transport,
    log: plane.log,
  });
  if (!identifier.ok) return await givenUp(plane, identifier.error);
  const pins = await toolPinsOf([server], config.data, plane);
  if (!pins.ok) return await givenUp(plane, pins.error);
  const publishing = await published(configured, config.data, plane);
  if (!publishing.ok) return await givenUp(plane, publishing.error);
  const stop = new AbortController();
  const following = followAll(plane, stop.signal);
  await firstPolicy(plane);
  const bridge = new StdioBridge({
    peers: childProcessPeers(plane.log),
    command: {
      command: [program, ...args],
      env: wrappedEnvironment(options.tokenEnv),
      lineBytesMax: config.limits.line_bytes_max,
    },
    clock: systemClock,
    entropy: systemEntropy,
    log: plane.log,
  });
  const pinned = pins.value.get(server);
  const upstream = {
    ...{ server, url: bridgeUrl, transport: bridge, trusted: false },
    ...(pinned === undefined ? {} : { pins: pinned }),
  };
  const { face, close } = upstreamFace(upstream, {
    spine: plane.spine,
    identifier: identifier.value,
    clock: systemClock,
    log: plane.log,
    limits: {
      messageBytesMax: config.limits.body_bytes_max,
      depthMax: config.limits.depth_max,
      answerBytesMax: config.limits.line_bytes_max,
    },
    writesParamHeaders: true,
  });
  const { input, output } = standardLines(config.limits.line_bytes_max);
  plane.log.write("info", "wrapping", { server, program: basename(program) });
  await wrapStdio({
    ...{ face, input, output, clock: systemClock },
    headers: { authorization: `Bearer ${token}` },
    answerBytesMax: config.limits.line_bytes_max,
  });
  stop.abort();
  publishing.value?.stop();
  close();
  await bridge.close();
  await pinned?.stored();
  await following;
  await plane.inFlight.idle();
  await plane.close();
  return 0;
}

/** Nothing is published where the policy comes in a bundle from elsewhere. */
async function published(
  config: Config,
  dataFolder: string,
  { log }: DataPlane,
): Promise<Result<Publishing | undefined, string>> {
  return config.bundle === undefined ? startPublishing(config, dataFolder, log) : ok(undefined);
}

async function givenUp(plane: DataPlane, why: string): Promise<1> {
  await plane.close();
  return complain("mcp wrap", why);
}

/** A desktop client does not ask twice: the first call must not find the policy still on its way. */
async function firstPolicy({ policySource, spine }: DataPlane): Promise<void> {
  const until = systemClock.monotonicMs() + policyWaitMs;
  while (spine.policyVersion() === undefined && systemClock.monotonicMs() < until) {
    await policySource.refresh();
    await systemClock.sleep(50);
  }
}

/** The client's environment, without the token: the wrapped server must not see it. */
function wrappedEnvironment(tokenEnv: string): Readonly<Record<string, string>> {
  const kept = Object.entries(process.env).filter(([name]) => name !== tokenEnv);
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
}
