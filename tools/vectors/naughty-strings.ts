/**
 * The big list of naughty strings, through a whole gateway on sockets: as an argument that the upstream must receive
 * exactly, as the name of an agent, as the reason of a rule. Each must stand in the log exactly, and what a person sees
 * on a terminal must hold no control character.
 */

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemEntropy } from "../../src/adapters/clock/index.ts";
import { openDisk } from "../../src/adapters/disk/index.ts";
import { serveFront, undiciTransport } from "../../src/adapters/http/index.ts";
import { openSigner } from "../../src/adapters/keys/index.ts";
import {
  ActivePolicy,
  authZen,
  createSpine,
  Directory,
  httpTools,
  InFlight,
  routed,
} from "../../src/gateway/index.ts";
import { assert } from "../../src/kernel/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { compile, loadPolicySet, type PolicyFile } from "../../src/policy/index.ts";
import { unlimited } from "../../src/sim/index.ts";
import { fakeIdentifier, silentLog } from "../../test/fixtures/fake-spine.ts";
import { type Case, declined, failed, passed, type VectorSet } from "./case.ts";
import { rawUpstream } from "./raw-upstream.ts";

const evaluationPath = "/access/v1/evaluation";
const atOnce = 16;

export const naughtyStrings: VectorSet = {
  name: "naughty-strings",
  path: "blns.json",
  source: "blns.json of github.com/minimaxir/big-list-of-naughty-strings",
  run: async (path) => {
    const strings = JSON.parse(readFileSync(path, "utf8")) as string[];
    const folder = mkdtempSync(join(tmpdir(), "holdfast-naughty-"));
    try {
      return await run(strings, folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function run(strings: readonly string[], folder: string): Promise<readonly Case[]> {
  const policies = strings.map(policyFor);
  const loads = policies.map((file) => loadPolicySet([file]).set !== undefined);
  const ledger = await openLog(folder);
  const upstream = await rawUpstream();
  const transport = undiciTransport({ addresses: "not_metadata" });
  const face = faces(
    ledger,
    policies.filter((_, i) => loads[i]),
    upstream.url,
    transport,
  );
  const front = await serveFront(face, { host: "127.0.0.1", port: 0, log: silentLog });
  const answered = new Map<string, Answer>();
  try {
    const asks = strings.flatMap((text, i) => [
      [`argument ${i}`, "/http/api/take", { text }] as const,
      [`agent ${i}`, evaluationPath, question(text)] as const,
      ...(loads[i] ? [[`reason ${i}`, `/http/api/reason/${i}`, {}] as const] : []),
    ]);
    const worker = async (): Promise<void> => {
      for (let ask = asks.shift(); ask !== undefined; ask = asks.shift())
        answered.set(ask[0], await post(front.url + ask[1], ask[2]));
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    await front.close(0);
    await transport.close();
    upstream.close();
    await ledger.close();
  }
  const received = new Set(
    upstream.seen.map(({ body }) => (JSON.parse(String(body)) as { text?: string }).text),
  );
  const recorded = entriesIn(folder);
  return [
    ...strings.flatMap((text, i) => [
      argument(`argument ${i}`, received.has(text), answered, recorded),
      named(`agent ${i}`, text, answered, recorded),
      loads[i]
        ? reasoned(`reason ${i}`, text, answered, recorded)
        : declined(`reason ${i}`, "policy"),
    ]),
    ...upstream.problems.map((problem) => failed("upstream", problem)),
    ...terminal(folder, recorded.size),
  ];
}

/** Denies the tool of its own with the string as the reason. */
function policyFor(text: string, i: number): PolicyFile {
  const rule = {
    id: `r${i}`,
    match: { tools: `api:POST /reason/${i}` },
    outcome: "deny",
    reason: text,
  };
  return { path: `p${i}.yaml`, text: JSON.stringify({ policy: `p${i}`, rules: [rule] }) };
}

async function openLog(folder: string): Promise<Ledger> {
  const signer = await openSigner(join(folder, "key.pem"), "naughty.example");
  assert(signer.ok, "a key can be made in a fresh folder");
  const opened = await openLedger({
    disk: openDisk(join(folder, "log")),
    signer: signer.value,
    clock: systemClock,
    tenant: "t",
    origin: { instance: "naughty", site: "standalone", epoch: 0 },
    holdfastVersion: "0",
  });
  assert(opened.ok, "a log can be made in a fresh folder");
  return opened.value;
}

function faces(
  ledger: Ledger,
  reasons: readonly PolicyFile[],
  upstreamUrl: string,
  transport: ReturnType<typeof undiciTransport>,
): ReturnType<typeof routed> {
  const everything = {
    policy: "all",
    rules: [{ id: "all", match: { tools: "api:*" }, outcome: "allow" }],
  };
  const { set } = loadPolicySet([
    ...reasons,
    { path: "all.yaml", text: JSON.stringify(everything) },
  ]);
  assert(set, "policies that load alone load together");
  const policy = new ActivePolicy();
  policy.activate(compile(set, "naughty"));
  const spine = createSpine({
    ...{ clock: systemClock, entropy: systemEntropy, ledger, policy, log: silentLog },
    origin: { instance: "naughty", site: "standalone", epoch: 0 },
    ...unlimited,
    inFlight: new InFlight({ perAgentMax: 100, totalMax: 100 }),
    telemetry: {
      startCall: (parent) => ({ traceparent: parent ?? "", end: () => undefined }),
      count: () => undefined,
      gauge: () => undefined,
    },
  });
  const api = {
    ...{ name: "api", baseUrl: upstreamUrl, headers: {}, forwardHeaders: [] },
    opaqueBodies: "digest" as const,
  };
  const tools = httpTools({
    ...{ upstreams: new Map([["api", api]]), spine, transport, identifier: fakeIdentifier },
  });
  const decisions = authZen({
    ...{ spine, identifier: fakeIdentifier, publicUrl: "http://127.0.0.1", clock: systemClock },
    enforcementPoints: [{ agent: "anonymous", tenant: "default", obligations: [] }],
    directory: new Directory(),
    ...{ bodyBytesMax: 1_000_000, depthMax: 64, evaluationsMax: 1, evaluationsAtOnceMax: 1 },
    ...{ searchResultsMax: 1, searchCandidatesMax: 1, searchTimeMsMax: 1_000 },
  });
  return routed([
    { prefix: "/http", face: tools },
    { prefix: evaluationPath, face: decisions },
  ]);
}

function question(agent: string): object {
  return {
    subject: { type: "agent", id: agent },
    action: { name: "api:GET /x" },
    resource: { type: "tool", id: "api:GET /x" },
  };
}

interface Answer {
  readonly status: number;
  readonly call: string | undefined;
  readonly body: string;
}

async function post(url: string, body: object): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const said = response.headers.get("holdfast-call") ?? /"call_id":"([^"]+)"/.exec(text)?.[1];
  return { status: response.status, call: said, body: text };
}

interface Recorded {
  readonly kind: string;
  readonly call?: string;
  readonly agent_id?: string;
  readonly reason?: string;
}

/** Decisions by call, as `audit show --json` prints them; it exits 0 only when the log verifies. */
function entriesIn(folder: string): ReadonlyMap<string, Recorded> {
  const { status, stdout, stderr } = holdfast("audit", "show", join(folder, "log"), "--json");
  assert(status === 0, `audit show exits 0: ${stderr}`);
  const lines = stdout.trimEnd().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as Recorded);
  return new Map(
    entries.filter(({ kind }) => kind === "decision").map((entry) => [entry.call ?? "", entry]),
  );
}

function holdfast(...args: readonly string[]): SpawnSyncReturns<string> {
  const command = join(import.meta.dirname, "../../bin/holdfast.mjs");
  return spawnSync(process.execPath, [command, ...args], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
}

type Answers = ReadonlyMap<string, Answer>;
type Records = ReadonlyMap<string, Recorded>;

function argument(id: string, received: boolean, answers: Answers, records: Records): Case {
  const { status, call = "", body } = answers.get(id) ?? { status: 0, body: "no answer" };
  if (status !== 200) return failed(id, `was answered ${status}: ${body}`);
  if (!received) return failed(id, "did not reach the upstream as it was");
  return records.has(call) ? passed(id) : failed(id, "is not in the log");
}

function named(id: string, text: string, answers: Answers, records: Records): Case {
  const { status, call = "", body } = answers.get(id) ?? { status: 0, body: "no answer" };
  if (status === 400) return declined(id, "no_name");
  if (status !== 200) return failed(id, `was answered ${status}: ${body}`);
  return records.get(call)?.agent_id === text
    ? passed(id)
    : failed(id, "is another name in the log");
}

function reasoned(id: string, text: string, answers: Answers, records: Records): Case {
  const { status, call = "", body } = answers.get(id) ?? { status: 0, body: "no answer" };
  if (status !== 403) return failed(id, `was answered ${status}: ${body}`);
  // White space around a reason is not part of it: a block of YAML ends in a line end.
  const reason = text.trim();
  if ((JSON.parse(body) as { reason: string }).reason !== reason)
    return failed(id, "is another reason in the answer");
  return records.get(call)?.reason === reason
    ? passed(id)
    : failed(id, "is another one in the log");
}

/** What a person sees: whole lines, one for each entry, nothing that a terminal would act on. */
function terminal(folder: string, decisions: number): readonly Case[] {
  const log = join(folder, "log");
  const verified = holdfast("audit", "verify", log);
  const all = holdfast("audit", "show", log);
  const lines = all.stdout.trimEnd().split("\n");
  const lineCount = lines.filter((line) => / (?:allow|deny) /.test(line)).length;
  return [
    verified.status === 0 ? passed("audit verify") : failed("audit verify", verified.stderr),
    [verified, all, holdfast("audit", "show", log, "--json")].some(({ stdout, stderr }) =>
      /[^\P{C}\n]/u.test(stdout + stderr),
    )
      ? failed("terminal", "a control character is printed")
      : passed("terminal"),
    lineCount >= decisions
      ? passed("lines")
      : failed("lines", `${lineCount} lines for ${decisions} decisions`),
  ];
}
