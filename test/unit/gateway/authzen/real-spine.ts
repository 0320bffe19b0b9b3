/** The real spine over a policy in words, with a log in memory whose writes can be made to fail. */

import type { Entry } from "../../../../src/audit/index.ts";
import type { Spine, ToolRequest } from "../../../../src/gateway/call.ts";
import {
  ActivePolicy,
  createSpine,
  Directory,
  InFlight,
  type KnownEntity,
  type SpineParts,
} from "../../../../src/gateway/index.ts";
import { err, type JsonObject, ok } from "../../../../src/kernel/index.ts";
import {
  compile,
  loadPolicySet,
  type RegoBundles,
  regoDigest,
} from "../../../../src/policy/index.ts";
import type { Clock, RegoRuntime } from "../../../../src/ports.ts";
import { unlimited } from "../../../../src/sim/index.ts";
import { realClock, silentLog } from "../../../fixtures/fake-spine.ts";

export interface RealSpine {
  readonly spine: Spine;
  readonly directory: Directory;
  readonly entries: Entry[];
  readonly inFlight: InFlight;
  readonly policy: ActivePolicy;
  /** Metrics by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the kill switch stops. */
  hold: (request: ToolRequest) => ReturnType<SpineParts["kill"]["hold"]>;
  /** Set: nothing more can be recorded. */
  broken: boolean;
}

export interface Known {
  readonly subjects?: readonly KnownEntity[];
  readonly resources?: readonly KnownEntity[];
}

export function known(type: string, id: string, properties: JsonObject = {}): KnownEntity {
  return { tenant: "acme", type, id, properties };
}

/** `text` is YAML; without it no policy is loaded. */
export function realSpine(
  text: string | undefined,
  { subjects = [], resources = [] }: Known = {},
  clock: Clock = realClock,
  perAgentMax = 64,
  rego?: RegoRuntime,
): RealSpine {
  const entries: Entry[] = [];
  const inFlight = new InFlight({ perAgentMax, totalMax: 1000 });
  const policy = new ActivePolicy();
  if (text !== undefined) policy.activate(engineOf(text));
  const directory = new Directory(subjects, resources);
  let calls = 0;
  const counts: Record<string, number> = {};
  const nothing: RealSpine["hold"] = () => undefined;
  const it = { directory, entries, inFlight, policy, counts, broken: false, hold: nothing };
  const spine = createSpine({
    ...{ clock, directory, policy, inFlight, log: silentLog },
    entropy: { bytes: (count) => new Uint8Array(count).fill(calls++ % 256) },
    ledger: {
      bundleSerial: 0,
      append: async (entry) => {
        if (it.broken) return err({ kind: "closed", detail: "the test says so" } as never);
        entries.push(entry);
        return ok({ index: entries.length - 1, treeSize: entries.length });
      },
      receipt: (index) => `receipt ${index}`,
      head: () => ({ size: entries.length, rootHash: new Uint8Array(), checkpoint: "" }),
      healthy: () => !it.broken,
      close: async () => undefined,
    },
    telemetry: {
      startCall: () => ({ traceparent: "", end: () => undefined }),
      count: (name, _labels, by = 1) => {
        counts[name] = (counts[name] ?? 0) + by;
      },
      gauge: () => undefined,
    },
    ...unlimited,
    kill: { hold: (request) => it.hold(request), looked: () => undefined },
    origin: { instance: "i", site: "s", epoch: 0 },
    ...(rego === undefined ? {} : { rego }),
  });
  return Object.assign(it, { spine });
}

/** What `own.tar.gz` of a policy is; whatever it answers, a test's own runtime does. */
const module = { wasm: Buffer.from("program"), data: Buffer.from("{}") };
const regoBundles: RegoBundles = new Map([
  ["own.tar.gz", ok({ ...module, digest: regoDigest(module), entrypoints: ["own/good"] })],
]);

export function engineOf(text: string, revision = "rev-1"): ReturnType<typeof compile> {
  const { set, diagnostics } = loadPolicySet([{ path: "test.yaml", text }], { regoBundles }) as {
    set?: Parameters<typeof compile>[0];
    diagnostics: readonly unknown[];
  };
  if (set === undefined) throw new Error(JSON.stringify(diagnostics));
  return compile(set, revision);
}
