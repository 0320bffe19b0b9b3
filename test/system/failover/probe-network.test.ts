/** Probes that speak a protocol of their own, against real servers of it: gRPC health, BIND, chrony. */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import type { DnsVerification, GrpcHealthVerification } from "../../../src/failover/index.ts";
import { BindServer } from "../../fixtures/bind.ts";
import { authority } from "../../fixtures/certificates.ts";
import { startChrony } from "../../fixtures/chrony.ts";
import { closedAddress, nonce, type Probing, probing, site } from "../../fixtures/probing.ts";

let probe: Probing;
const ends: (() => unknown)[] = [];
beforeAll(() => {
  probe = probing();
});
afterAll(async () => {
  await probe.close();
  for (const end of ends) await end();
});

/** As the protocol says: NOT_FOUND for a service that is not known. `echo` gives its site and the nonce back. */
const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
const health: ServiceDefinition = {
  check: {
    ...{ path: "/grpc.health.v1.Health/Check", requestStream: false, responseStream: false },
    ...{ requestSerialize: bytes.serialize, requestDeserialize: bytes.deserialize },
    ...{ responseSerialize: bytes.serialize, responseDeserialize: bytes.deserialize },
  },
};
const statuses: Readonly<Record<string, readonly number[]>> = {
  "": [8, 1],
  gateway: [8, 1],
  draining: [8, 2],
  unsaid: [],
  strange: [8, 99],
};

async function grpcServer(credentials: ServerCredentials): Promise<string> {
  const server = new Server();
  server.addService(health, {
    check: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const status = statuses[call.request.subarray(2).toString()];
      if (status === undefined) return answer({ code: 5, details: "unknown service" });
      call.metadata.set("holdfast-site", site);
      answer(null, Buffer.from(status), call.metadata);
    },
  });
  const port = await new Promise<number>((bound, failed) =>
    server.bindAsync("127.0.0.1:0", credentials, (error, at) =>
      error ? failed(error) : bound(at),
    ),
  );
  ends.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

test.each([
  [undefined, "pass", "is serving"],
  ["gateway", "pass", "gateway at"],
  ["draining", "fail", "NOT_SERVING"],
  ["unsaid", "fail", "UNKNOWN"],
  ["strange", "inconclusive", "no HealthCheckResponse"],
  ["other", "fail", "knows no service other"],
])("grpc_health: %s", async (service, verdict, because) => {
  const address = await grpcServer(ServerCredentials.createInsecure());
  const verification: GrpcHealthVerification = { kind: "grpc_health", address };
  const finding = await probe.ask({ ...verification, ...(service ? { service } : {}) });
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe(verdict);
  if (verdict !== "pass") return;
  expect(finding).toMatchObject({ boundBy: "echo", site, nonce });
  // The same server, reached where another site should answer.
  expect(await probe.ask(verification, { site: "dub" })).toMatchObject({ verdict: "fail", site });
});

test("grpc_health over TLS: by the authority and the name that are given", async () => {
  const [trusted, other] = [authority(), authority()];
  ends.push(trusted.remove, other.remove);
  const { cert, key } = trusted.sign("DNS:gateway.example", 9);
  const pairs = [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }];
  const address = await grpcServer(ServerCredentials.createSsl(null, pairs));
  const ask = (ca_file: string, server_name: string) =>
    probe.ask(
      { kind: "grpc_health", address, tls: { ca_file, server_name } },
      { timeoutMs: 10_000 },
    );
  expect(await ask(trusted.file, "gateway.example")).toMatchObject({ verdict: "pass" });
  expect(await ask(other.file, "gateway.example")).toMatchObject({ verdict: "inconclusive" });
  expect(await ask(trusted.file, "other.example")).toMatchObject({ verdict: "inconclusive" });
});

test("grpc_health: nobody there says nothing", async () => {
  const address = await closedAddress();
  expect(await probe.ask({ kind: "grpc_health", address })).toMatchObject({
    verdict: "inconclusive",
  });
});

test("dns: what BIND answers is among what is allowed, or is not", async () => {
  const records = [
    ...["agents IN A 192.0.2.1", "agents IN A 192.0.2.2", "six IN AAAA 2001:db8::1"],
    ...["alias IN CNAME Agents", 'text IN TXT "gov-verdict=a;" "epoch=7"', "bare IN TXT x"],
  ];
  const bind = await BindServer.start(records, "name agents.lab.example. A");
  ends.push(() => bind.remove());
  const server = `127.0.0.1:${bind.port}`;
  const ask = (more: Partial<DnsVerification>, timeoutMs = 5_000) =>
    probe.ask(
      {
        ...{ kind: "dns", servers: [server], name: "agents.lab.example", type: "A" },
        ...{ allowed: ["192.0.2.1", "192.0.2.2"], ...more },
      },
      { timeoutMs },
    );
  expect(await ask({})).toMatchObject({ verdict: "pass", boundBy: "address" });
  const one = await ask({ allowed: ["192.0.2.1"] });
  expect(one.because).toContain("to 192.0.2.2, which is not allowed");
  expect(one.verdict).toBe("fail");
  const text = {
    name: "text.lab.example",
    type: "TXT",
    allowed: ["gov-verdict=a;epoch=7"],
  } as const;
  expect(await ask(text)).toMatchObject({ verdict: "pass" });
  const six = { name: "six.lab.example", type: "AAAA", allowed: ["2001:0DB8:0::1"] } as const;
  expect(await ask(six)).toMatchObject({ verdict: "pass" });
  const alias = { name: "alias.lab.example", type: "CNAME", allowed: ["agents.lab.example."] };
  expect(await ask(alias as Partial<DnsVerification>)).toMatchObject({ verdict: "pass" });
  for (const name of ["none.lab.example", "bare.lab.example"])
    expect(await ask({ name })).toMatchObject({ verdict: "fail" });
  // Not its zone: refused.
  expect(await ask({ name: "a.other.example" })).toMatchObject({ verdict: "inconclusive" });
  // One server of two that is silent leaves it open; a wrong answer of the other does not.
  const both = { servers: [await closedAddress(), server] };
  expect(await ask(both, 1_000)).toMatchObject({ verdict: "inconclusive" });
  expect(await ask({ ...both, allowed: [] })).toMatchObject({ verdict: "fail" });
  bind.signal("SIGSTOP");
  const frozen = await ask({}, 600);
  bind.signal("SIGCONT");
  expect(frozen).toMatchObject({ verdict: "inconclusive" });
  expect(frozen.because).toContain("no answer within 600 ms");
});

test("clock: against chrony, right and off by a minute either way", async () => {
  const chrony = await startChrony();
  ends.push(chrony.remove);
  const verification = { kind: "clock", ntp_server: chrony.address, skew_ms_max: 5_000 } as const;
  const right = await probe.ask(verification);
  expect(right).toMatchObject({ verdict: "pass", observed: { stratum: 8 }, boundBy: "echo" });
  for (const skewMs of [-60_000, 60_000]) {
    const off = probing({}, { ...systemClock, wallMs: () => Date.now() + skewMs });
    const finding = await off.ask(verification);
    expect(finding.verdict).toBe("fail");
    expect(Math.abs(Number(finding.observed["offset_ms"]) + skewMs)).toBeLessThan(5_000);
    await off.close();
  }
  chrony.signal("SIGSTOP");
  const frozen = await probe.ask(verification, { timeoutMs: 500 });
  chrony.signal("SIGCONT");
  expect(frozen).toMatchObject({ verdict: "inconclusive" });
  const gone = { ...verification, ntp_server: await closedAddress() };
  expect(await probe.ask(gone, { timeoutMs: 2_000 })).toMatchObject({ verdict: "inconclusive" });
});
