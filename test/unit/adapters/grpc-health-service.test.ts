/** The gate as a gRPC health service, asked by the client that our probe uses. */
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
    expect(await asked("others")).toMatch(/^NOT_FOUND/);
    serves = () => {
      throw new Error("broken");
    };
    expect(await asked("")).toBe("NOT_SERVING fra n-1");
  } finally {
    await service.close();
  }
});
