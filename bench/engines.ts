/** The engines that are measured beside each other: each decides the same requests over the same rules, as near as it can. */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ConflictResolutionStrategy, PolicyEngine } from "@microsoft/agent-governance-sdk";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { extract } from "tar-stream";
import { Agent } from "undici";
import {
  buildBundle,
  compile,
  explain,
  type PolicyRequest,
  type PolicySet,
} from "../src/policy/index.ts";
import { opaBinary } from "../test/system/opa/opa.ts";
import { OpaServer } from "../test/system/opa/opa-server.ts";
import { hasCondition, limitOf } from "./policy-set.ts";

/** Decides one request; true when it may go on. */
export type Decide = (request: PolicyRequest) => boolean | Promise<boolean>;

export interface Engine {
  readonly decide: Decide;
  /** Calls timed together, for an engine that is too quick to time one. */
  readonly block: number;
  readonly close?: () => void;
}

const buildTimeoutMs = 90_000;
const opaTimeoutMs = 20_000;
/** In pages of 64 KiB. */
const memory = { initial: 64, maximum: 16_384 } as const;

export type Open = (set: PolicySet, folder: string) => Promise<Engine>;

/** What it decided, and which rules made it so: an explanation is part of every verdict, there is no mode without. */
export const holdfast: Open = async (set) => {
  const engine = compile(set, "bench");
  return { block: 4, decide: (request) => lets(engine.decide(request).outcome) };
};

/** Each request has an agent never seen before, so that no list of candidates is remembered; rules name agents by pattern. */
export const holdfastFirstSight: Open = async (set) => {
  const rules = set.rules.map((rule) => {
    const agents = rule.match.agents?.map((agent) => `${agent}-*`) ?? [];
    return { ...rule, match: { ...rule.match, agents } };
  });
  const engine = compile({ ...set, rules }, "bench");
  let seen = 0;
  return {
    block: 1,
    decide: (request) => {
      seen += 1;
      const subject = { ...request.subject, id: `${request.subject.id}-${seen}` };
      return lets(engine.decide({ ...request, subject }).outcome);
    },
  };
};

/** The report of `holdfast policy explain`: each rule, why it fits or not, and the values that decided. */
export const holdfastReport: Open = async (set) => ({
  block: 1,
  decide: (request) => lets(explain(set, request).verdict.outcome),
});

/** What our bundle uses and `opa-wasm` leaves to its host. */
const builtins = {
  "regex.replace": (text: string, pattern: string, value: string): string =>
    text.replaceAll(new RegExp(pattern, "g"), value),
};

/** Our bundle, built by `opa build -t wasm`. */
export const opaWasm: Open = async (set, folder) => {
  const bundle = await writeBundle(set, folder);
  const out = join(folder, "wasm.tar.gz");
  const args = ["build", "-t", "wasm", "-e", "holdfast/verdict", "-b", bundle, "-o", out];
  const built = spawnSync(opaBinary, args, { timeout: buildTimeoutMs });
  if (built.status !== 0)
    throw new Error(`opa build took over ${buildTimeoutMs / 1_000} s or failed: ${built.stderr}`);
  const files = await unpacked(out);
  const wasm = files.get("/policy.wasm") ?? new Uint8Array();
  const policy = await loadPolicy(wasm as Uint8Array<ArrayBuffer>, memory, builtins);
  policy.setData(JSON.parse(new TextDecoder().decode(files.get("/data.json"))));
  return {
    block: 1,
    decide: (request) => lets(policy.evaluate(request)[0]?.result.outcome),
  };
};

/** `opa run --server` with our bundle, asked over loopback HTTP on one kept connection. */
export const opaServer: Open = async (set, folder) => {
  const bundle = await writeBundle(set, folder);
  const server = await OpaServer.start(folder, {
    bundles: { holdfast: { resource: `file://${bundle}` } },
  });
  const agent = new Agent({
    connections: 1,
    pipelining: 1,
    headersTimeout: opaTimeoutMs,
    bodyTimeout: opaTimeoutMs,
  });
  const ask = { origin: server.url, path: "/v1/data/holdfast/verdict", method: "POST" } as const;
  return {
    block: 1,
    decide: async (input) => {
      const answer = await agent.request({ ...ask, body: JSON.stringify({ input }) });
      const { result } = (await answer.body.json()) as { result: { outcome: string } };
      return lets(result.outcome);
    },
    close: () => {
      server.stop();
      void agent.destroy();
    },
  };
};

/**
 * The rules as one policy document of the toolkit, deny overriding. Not the same: its conditions have no patterns, so a
 * tool named by pattern is named in full here; there is no list of determining rules, only the one that won.
 */
export const governanceSdk: Open = async (set) => {
  const engine = new PolicyEngine([], ConflictResolutionStrategy.DenyOverrides);
  engine.loadPolicy({
    name: "bench",
    scope: "global",
    default_action: "deny",
    rules: set.rules.map(({ id, match, outcome }, i) => ({
      name: id,
      condition: [
        `agent == '${match.agents?.[0]}'`,
        `tool == '${match.tools?.[0]?.replace("*", "0")}'`,
        ...(hasCondition(i) ? [`args.amount < ${limitOf(i)}`] : []),
      ].join(" and "),
      ruleAction: outcome === "deny" ? "deny" : "allow",
    })),
  });
  return {
    block: 1,
    decide: ({ subject, action, args }) =>
      engine.evaluatePolicy(subject.id, { agent: subject.id, tool: action.name, args }).allowed,
  };
};

function lets(outcome: string | undefined): boolean {
  return outcome === "allow" || outcome === "sanitize";
}

async function writeBundle(set: PolicySet, folder: string): Promise<string> {
  const bundle = join(folder, "bundle");
  for (const [path, bytes] of buildBundle(set, { serial: 1 })) {
    await mkdir(dirname(join(bundle, path)), { recursive: true });
    await writeFile(join(bundle, path), bytes);
  }
  return bundle;
}

async function unpacked(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const reader = extract();
  reader.end(gunzipSync(await readFile(path)));
  for await (const entry of reader) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry) pieces.push(piece as Uint8Array);
    files.set(entry.header.name, Buffer.concat(pieces));
  }
  return files;
}
