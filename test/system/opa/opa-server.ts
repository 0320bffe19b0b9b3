/** A stock `opa run --server`, as others run it beside their services. */
import { type ChildProcess, spawn } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { canonicalJson, sha256 } from "../../../src/kernel/index.ts";
import { opaBinary } from "./opa.ts";

const waitMs = 20_000;

export class OpaServer {
  readonly url: string;
  output = "";
  readonly #child: ChildProcess;

  /** Ready when its bundles are activated, if `config` names any. */
  static async start(folder: string, config: object): Promise<OpaServer> {
    const port = await freePort();
    const path = join(folder, `opa-${port}.json`);
    writeFileSync(path, JSON.stringify(config));
    const server = new OpaServer(path, port);
    await server.eventually("OPA activates its bundles", async () => {
      const health = await fetch(`${server.url}/health?bundles=true`).catch(() => undefined);
      return health?.status === 200;
    });
    return server;
  }

  private constructor(configPath: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#child = spawn(opaBinary, [
      ...["run", "--server", "-a", `127.0.0.1:${port}`, "-c", configPath],
    ]);
    this.#child.stderr?.on("data", (chunk) => {
      this.output += chunk;
    });
  }

  /** The result for one input, undefined when OPA has none. */
  async ask(path: string, input: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}/v1/data/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input }),
    });
    return ((await response.json()) as { result?: unknown }).result;
  }

  /** The revision of the bundle `holdfast` that it decides with. */
  async revision(): Promise<unknown> {
    const response = await fetch(`${this.url}/v1/data/holdfast/allow?provenance=true`);
    const { provenance } = (await response.json()) as {
      provenance?: { bundles?: { holdfast?: { revision?: string } } };
    };
    return provenance?.bundles?.holdfast?.revision;
  }

  async eventually(what: string, check: () => Promise<boolean>): Promise<void> {
    const until = performance.now() + waitMs;
    while (!(await check())) {
      if (performance.now() > until) throw new Error(`${what}: not in time\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

const everySecond = { min_delay_seconds: 1, max_delay_seconds: 1 };

/** A bundle of a service, checked every second unless `polling` says otherwise, against a key; also reports to it. */
export function opaConfig(
  serviceUrl: string,
  key: { readonly keyId: string; readonly publicKeyPem: string },
  polling: object = everySecond,
): object {
  return {
    labels: { id: "opa-under-test" },
    services: { holdfast: { url: serviceUrl } },
    keys: { [key.keyId]: { algorithm: "ES256", key: key.publicKeyPem } },
    bundles: {
      holdfast: {
        ...{ service: "holdfast", resource: "/bundles/holdfast", polling },
        signing: { keyid: key.keyId },
      },
    },
    decision_logs: { service: "holdfast", reporting: everySecond },
    status: { service: "holdfast" },
  };
}

/** The key as an operator copies it into OPA's configuration; its id is the RFC 7638 thumbprint. */
export function bundleKeyOf(path: string): {
  readonly keyId: string;
  readonly publicKeyPem: string;
} {
  const publicKeyPem = readFileSync(path, "utf8");
  const { crv, kty, x, y } = createPublicKey(publicKeyPem).export({ format: "jwk" });
  const thumbprint = sha256(canonicalJson({ crv, kty, x, y } as Record<string, string>));
  return { keyId: Buffer.from(thumbprint).toString("base64url"), publicKeyPem };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
