/** The gateway in a simulated process: real parts on simulated ports, behind the plainest of faces. */
import type { CallOutcome } from "../audit/index.ts";
import {
  ActivePolicy,
  createSpine,
  type Forwarded,
  type Governed,
  InFlight,
  type Judged,
  PolicySource,
  type Spine,
  type ToolRequest,
} from "../gateway/index.ts";
import { canonicalJson, ok, type Result, type ToolId } from "../kernel/index.ts";
import { type Ledger, type LedgerOpenError, openLedger } from "../ledger/index.ts";
import {
  type Disk,
  type HttpTransport,
  type Log,
  type Telemetry,
  TransportFailure,
} from "../ports.ts";
import type { SimProcess } from "./process.ts";
import { simEntropy } from "./random.ts";
import { unlimited } from "./unlimited.ts";
import { openSimBundle, type SimCall, upstreamOrigin } from "./workload.ts";
import type { World } from "./world.ts";

/** A fault planted in the code under test. */
export interface Plant {
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly disk?: (disk: Disk) => Disk;
  readonly transport?: (transport: HttpTransport) => HttpTransport;
}

const forwardTimeoutMs = 400;

export class SimGateway {
  readonly #spine: Spine;
  readonly #ledger: Ledger;
  readonly #transport: HttpTransport;
  readonly #stop: AbortController;

  static async open(
    world: World,
    process: SimProcess,
    mounted: Disk,
    plant: Plant = {},
  ): Promise<Result<SimGateway, LedgerOpenError>> {
    const disk = (plant.disk ?? same)(process.disk(mounted));
    const clock = process.clock(world.clock);
    const origin = { instance: "gateway-sim", site: "standalone", epoch: 0 };
    const tenant = "sim";
    const opened = await openLedger({
      disk,
      clock,
      origin,
      tenant,
      signer: world.signer,
      holdfastVersion: "0.0.0-sim",
      limits: { publishIntervalMs: 20, segmentBytesMax: 4_096, unpublishedEntriesMax: 64 },
    });
    if (!opened.ok) return opened;
    const ledger = (plant.ledger ?? same)(opened.value);
    const policy = new ActivePolicy();
    const parts = { clock, ledger, policy, origin, log: simLog(world), telemetry: simTelemetry };
    const source = new PolicySource({
      ...parts,
      tenant,
      disk: process.disk(world.policyDisk.mount()),
      open: openSimBundle,
      path: "bundle",
      lastGoodPath: "last-good",
      pollMs: 15,
    });
    const stop = new AbortController();
    await source.refresh();
    const following = source.follow(stop.signal);
    following.catch((error: unknown) =>
      world.violations.add("answered", `policy source: ${error}`),
    );
    const spine = createSpine({
      ...parts,
      ...unlimited,
      entropy: simEntropy(world.random.fork()),
      inFlight: new InFlight({ perAgentMax: 3, totalMax: 12 }),
    });
    const transport = (plant.transport ?? same)(process.transport(world.network));
    return ok(new SimGateway(spine, ledger, transport, stop));
  }

  private constructor(
    spine: Spine,
    ledger: Ledger,
    transport: HttpTransport,
    stop: AbortController,
  ) {
    this.#spine = spine;
    this.#ledger = ledger;
    this.#transport = transport;
    this.#stop = stop;
  }

  healthy(): boolean {
    return this.#ledger.healthy();
  }

  serve({ agent, tool, args }: SimCall): Promise<Governed<string>> {
    const request: ToolRequest = {
      face: "http",
      method: "POST",
      tool,
      args,
      identity: {
        agent,
        tenant: "sim",
        delegation: [],
        properties: {},
        how: "development_token",
        expiresAtMs: Number.MAX_SAFE_INTEGER,
      },
    };
    return this.#spine.govern(request, (judged) => this.#forward(tool, judged));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ledger.close();
  }

  async #forward(tool: ToolId, judged: Judged): Promise<Forwarded<string>> {
    const sent = await this.#transport.send({
      method: "POST",
      url: `${upstreamOrigin}/${encodeURIComponent(tool)}`,
      headers: { "idempotency-key": judged.idempotencyKey, traceparent: judged.traceparent },
      body: Buffer.from(canonicalJson(judged.args)),
      headTimeoutMs: forwardTimeoutMs,
      idleTimeoutMs: forwardTimeoutMs,
    });
    if (!sent.ok) return broken(sent.error.kind, sent.error.detail);
    try {
      const pieces: Uint8Array[] = [];
      for await (const piece of sent.value.body) pieces.push(piece);
      const answer = Buffer.concat(pieces).toString();
      const outcome = sent.value.status < 400 ? "ok" : "tool_error";
      return { outcome, resultBytes: answer.length, answer };
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error;
      return broken(error.error.kind, error.error.detail);
    }
  }
}

function broken(outcome: CallOutcome, detail: string): Forwarded<string> {
  return { outcome, detail, resultBytes: 0, answer: "" };
}

function same<T>(it: T): T {
  return it;
}

function simLog(world: World): Log {
  return { write: (level, event) => world.tell(`log ${level} ${event}`) };
}

const simTelemetry: Telemetry = {
  startCall: (traceparent) => ({ traceparent: traceparent ?? "00-sim", end: () => {} }),
  count: () => {},
  gauge: () => {},
};
