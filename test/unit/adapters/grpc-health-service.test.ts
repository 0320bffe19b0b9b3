/** The gate as a gRPC health service, asked by the client that our probe uses and by one that is not ours. */
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { checkHealth, serveHealth } from "../../../src/adapters/grpc/index.ts";

test("SERVING only while the site may act, bound to the site and the nonce; what cannot be read is closed", async () => {
  let serves: () => boolean = () => false;
  const service = await serveHealth({
    ...{ listen: { host: "127.0.0.1", port: 0 }, site: "fra", services: ["agents"] },
    serves: () => serves(),
  });
  const asked = async (name: string): Promise<string> => {
    const answer = await checkHealth({
      ...{ address: `127.0.0.1:${service.port}`, service: name, timeoutMs: 5_000 },
      ...{ metadata: { "holdfast-nonce": "n-1" }, signal: new AbortController().signal },
    });
    if (!answer.ok) return answer.error.why;
    const bound = ["holdfast-site", "holdfast-nonce"].map((each) => answer.value.metadata(each));
    return [answer.value.status, ...bound].join(" ");
  };
  try {
    expect(await asked("")).toBe("NOT_SERVING fra n-1");
    serves = () => true;
    expect(await asked("agents")).toBe("SERVING fra n-1");
    expect(await asked("others")).toBe("it refuses with gRPC status 5");
    serves = () => {
      throw new Error("broken");
    };
    expect(await asked("")).toBe("NOT_SERVING fra n-1");
  } finally {
    await service.close();
  }
});

test("the reference client of gRPC reads it, and hears NOT_FOUND and UNIMPLEMENTED", async () => {
  const service = await serveHealth({
    ...{ listen: { host: "127.0.0.1", port: 0 }, site: "fra", services: [], serves: () => true },
  });
  const client = new Client(`127.0.0.1:${service.port}`, credentials.createInsecure());
  const asked = (method: string, question: Buffer): Promise<Buffer | number> =>
    new Promise((resolve) => {
      const settle = (error: ServiceError | null, answer?: Buffer): void =>
        resolve(error === null ? (answer ?? Buffer.alloc(0)) : error.code);
      const path = `/grpc.health.v1.Health/${method}`;
      client.makeUnaryRequest(path, (bytes: Buffer) => bytes, Buffer.from, question, settle);
    });
  try {
    expect(await asked("Check", Buffer.alloc(0))).toEqual(Buffer.from([8, 1]));
    expect(await asked("Check", Buffer.from("\n\u0005other"))).toBe(5);
    expect(await asked("Watch", Buffer.alloc(0))).toBe(12);
  } finally {
    client.close();
    await service.close();
  }
});
