/**
 * The contract of `Probe`, held by every kind of the real one and by the simulated: whoever is asked, however he behaves, there is an
 * answer in time, it is no PASS unless something was shown, it holds no secret, and nothing stays open.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { noteVerifier } from "../../src/audit/index.ts";
import type { ParityState, Verification, VerificationKind } from "../../src/failover/index.ts";
import { ok } from "../../src/kernel/index.ts";
import type { ProbeFinding } from "../../src/ports.ts";
import { Random, SimClock, SimProbe, seededProbe, simSigner } from "../../src/sim/index.ts";
import {
  type Counterpart,
  closedAddress,
  garbageServer,
  nonce,
  type Probing,
  probing,
  secret,
  silentServer,
  site,
} from "../fixtures/probing.ts";
import { until } from "../fixtures/site.ts";

const token = { env: "SECRET" } as const;
const canary = { token, agent: "canary", tool: "desk:POST /items" } as const;
const logKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/** Each kind, pointed at one address; those of `udp` speak UDP there. */
const kinds: Readonly<
  Record<Exclude<VerificationKind, "files" | "exec">, (at: string) => Verification>
> = {
  http: (at) => ({ ...{ kind: "http", url: `http://${at}/`, binding: "echo" }, expect: {} }),
  grpc_health: (address) => ({ kind: "grpc_health", address }),
  tcp: (address) => ({ kind: "tcp", address }),
  tls: (address) => ({ ...{ kind: "tls", address, server_name: "a.example" }, days_left_min: 1 }),
  postgres: () => ({ kind: "postgres", connection: { env: "PG" }, check: { role: "primary" } }),
  audit_canary: (at) => ({
    ...{ kind: "audit_canary", gateway_url: `http://${at}`, ...canary },
    ...{ repository: `http://${at}/log`, log_key: logKey },
  }),
  cdc_canary: () => ({
    ...{ kind: "cdc_canary", connection: { env: "PG" } },
    warehouse: { connection: { env: "PG" }, query: "SELECT $1" },
  }),
  negative_canary: (at) => ({
    ...{ kind: "negative_canary", gateway_url: `http://${at}`, ...canary, args: {} },
  }),
  kill_switch_canary: (at) => ({
    ...{ kind: "kill_switch_canary", gateway_url: `http://${at}`, ...canary, args: {} },
    ...{ admin_url: `http://${at}`, admin_token: token },
  }),
  dns: (at) => ({
    ...{ kind: "dns", servers: [at], name: "agents.example", type: "A", allowed: ["192.0.2.1"] },
  }),
  signature: (at) => ({
    ...{ kind: "signature", jwks_url: `http://${at}/jwks`, sign_url: `http://${at}/sign`, token },
  }),
  secret_version: (at) => ({
    ...{ kind: "secret_version", url: `http://${at}/`, token, version_at: "/v", version: 1 },
  }),
  clock: (at) => ({ kind: "clock", ntp_server: at, skew_ms_max: 1_000 }),
  escalation_echo: (at) => ({ kind: "escalation_echo", url: `http://${at}/`, token }),
  kubernetes: (at) => ({
    ...{ kind: "kubernetes", api_url: `http://${at}`, token, object: "/api/v1/pods/a" },
  }),
  parity: (at) => ({ kind: "parity", url: `http://${at}/parity` }),
};
const udp: readonly string[] = ["dns", "clock"];

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const parityDefault: ParityState = {
  ...{ format: "holdfast.parity/v1", deployment: "d", tenant: "t", site, nonce },
  ...{ manifest_version: 1, manifest_digest: "sha256:0", policies: [], files: {} },
};

/** Takes packets, and says nothing or garbage. */
async function udpServer(answer?: string): Promise<Counterpart> {
  const socket = createSocket("udp4");
  let seen = 0;
  socket.on("message", (_packet, from) => {
    seen += 1;
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  const close = async (): Promise<void> => void socket.close();
  return { address: `127.0.0.1:${port}`, open: () => 0, seen: () => seen, close };
}

/** An answer that is later than promised is none; how much later a busy machine makes it, is not its own. */
const patienceMs = 15_000;

async function inTime(asked: Promise<ProbeFinding>): Promise<ProbeFinding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Error("the probe did not answer")), patienceMs);
  });
  return await Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function expectNothingShown(finding: ProbeFinding): void {
  expect(finding.verdict).not.toBe("pass");
  expect(finding.because).not.toBe("");
  expect(JSON.stringify(finding)).not.toContain(secret);
  expect(JSON.stringify(finding).length).toBeLessThan(10_000);
}

for (const [kind, verificationAt] of Object.entries(kinds))
  describe(kind, () => {
    const asking = async (server: Counterpart | { readonly address: string }): Promise<Probing> => {
      const { name, publicKey } = simSigner("other", new Random(1));
      const other = { site: "dub", guardUrl: `http://${server.address}` };
      const probe = probing(
        { PG: `postgres://guard:${secret}@${server.address}/db` },
        systemClock,
        {
          own: async () => ok(parityDefault),
          sites: [{ ...other, key: noteVerifier(name, publicKey) }],
        },
      );
      open.push(probe);
      return probe;
    };
    const speaking = async (how: "silent" | "garbage"): Promise<Counterpart> => {
      const garbage = "garbage of a server that speaks another protocol, at some length";
      const server = udp.includes(kind)
        ? await udpServer(how === "garbage" ? garbage : undefined)
        : await (how === "garbage" ? garbageServer() : silentServer());
      open.push(server);
      return server;
    };

    test("a server that takes everything and says nothing: inconclusive, in time, and let go", async () => {
      const server = await speaking("silent");
      const probe = await asking(server);
      const finding = await inTime(probe.ask(verificationAt(server.address), { timeoutMs: 400 }));
      // Accepting a connection is all that tcp asks for.
      if (kind === "tcp") expect(finding.verdict).toBe("pass");
      else {
        expectNothingShown(finding);
        expect(finding.verdict).toBe("inconclusive");
      }
      expect(server.seen()).toBeGreaterThan(0);
      await until(() => server.open() === 0);
    });

    test("a server that answers garbage shows nothing", async () => {
      const server = await speaking("garbage");
      const probe = await asking(server);
      const finding = await inTime(probe.ask(verificationAt(server.address), { timeoutMs: 1_000 }));
      if (kind !== "tcp") expectNothingShown(finding);
      await until(() => server.open() === 0);
    });

    test("nobody there shows nothing", async () => {
      const address = await closedAddress();
      const probe = await asking({ address });
      expectNothingShown(await inTime(probe.ask(verificationAt(address), { timeoutMs: 1_000 })));
    });

    test("told to stop, it stops, and lets go", async () => {
      const server = await speaking("silent");
      const probe = await asking(server);
      const abort = new AbortController();
      const question = { timeoutMs: 600_000 };
      const asked = probe.ask(verificationAt(server.address), question, abort.signal);
      if (kind === "tcp") abort.abort();
      else {
        await until(() => server.seen() > 0);
        abort.abort();
      }
      const finding = await inTime(asked);
      if (kind !== "tcp") expect(finding).toMatchObject({ verdict: "inconclusive", site, nonce });
      await until(() => server.open() === 0);
    });

    test("told to stop before, it asks nobody", async () => {
      const server = await speaking("silent");
      const probe = await asking(server);
      const verification = verificationAt(server.address);
      const finding = await inTime(probe.ask(verification, {}, AbortSignal.abort()));
      expect(finding).toMatchObject({ verdict: "inconclusive", site, nonce });
      expect(server.seen()).toBe(0);
    });
  });

describe("every kind", () => {
  let probe: Probing;
  beforeEach(() => {
    probe = probing();
    open.push(probe);
  });

  test("a kind that nobody knows, or that is none, is no PASS", async () => {
    for (const kind of ["telepathy", "toString", "", 7, null, undefined]) {
      const finding = await probe.ask({ kind } as unknown as Verification);
      expect(finding).toMatchObject({ verdict: "inconclusive", site, nonce });
    }
  });

  test("what is not as the schema says is no PASS, and nothing is thrown", async () => {
    for (const kind of [...Object.keys(kinds), "files", "exec"]) {
      const finding = await inTime(probe.ask({ kind } as unknown as Verification));
      expect(finding.verdict, kind).toBe("inconclusive");
    }
  });
});

describe("simulated", () => {
  const question = { component: "a", verification: { kind: "tcp" }, site, nonce, timeoutMs: 100 };

  test.each([
    ["pass", 1, { verdict: "pass", site, nonce }],
    ["fail", 1, { verdict: "fail" }],
    ["inconclusive", 1, { verdict: "inconclusive" }],
    ["silent", 100, { verdict: "inconclusive" }],
    ["other_site", 1, { verdict: "pass", site: "elsewhere" }],
    ["other_question", 1, { verdict: "pass", nonce: `not-${nonce}` }],
    [{ lateMs: 99 }, 99, { verdict: "pass" }],
    [{ lateMs: 101 }, 100, { verdict: "inconclusive" }],
  ] as const)("%o", async (answer, tookMs, finding) => {
    const clock = new SimClock();
    const probe = new SimProbe(clock, () => answer);
    const asked = probe.ask(question, new AbortController().signal);
    expect(await clock.run(asked)).toMatchObject(finding);
    expect(clock.monotonicMs()).toBe(tookMs);
  });

  test("told to stop, it stops", async () => {
    const [clock, abort] = [new SimClock(), new AbortController()];
    const asked = new SimProbe(clock, () => "silent").ask(question, abort.signal);
    abort.abort();
    expect(await clock.run(asked)).toMatchObject({ verdict: "inconclusive" });
    expect(clock.monotonicMs()).toBe(0);
  });

  test("the same seed says the same, and every answer there is", async () => {
    const rate = { fail: 0.1, inconclusive: 0.1, silent: 0.1, other_site: 0.1, late: 0.2 };
    const faults = { ...rate, other_question: 0.1, lateMsMax: 200 };
    const said = (seed: number): string[] => {
      const script = seededProbe(new Random(seed), faults);
      return Array.from({ length: 200 }, (_, i) => JSON.stringify(script(question, i)));
    };
    expect(said(1)).toEqual(said(1));
    expect(said(1)).not.toEqual(said(2));
    expect(new Set(said(1).map((each) => each.slice(0, 8))).size).toBe(7);
  });
});
