/** Ports over the real network and a disk in memory, for tests against real authorization servers. */
import { randomBytes } from "node:crypto";
import type { UpstreamAuthPorts } from "../../../src/gateway/upstream-auth/config.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import type { Disk, HttpTransport } from "../../../src/ports.ts";

const http: HttpTransport = {
  async send({ method, url, headers, body }) {
    try {
      const sent = body && { body: new Uint8Array(body) };
      const response = await fetch(url, { method, headers, redirect: "manual", ...sent });
      const pieces = (async function* () {
        if (response.body) for await (const piece of response.body) yield piece;
      })();
      const { status } = response;
      return ok({ status, headers: Object.fromEntries(response.headers), body: pieces });
    } catch (thrown) {
      return err({ kind: "not_sent", reason: "refused", detail: String(thrown) });
    }
  },
};

export function realWorld(log: UpstreamAuthPorts["log"]): UpstreamAuthPorts {
  const files = new Map<string, Uint8Array>();
  const disk = {
    read: async (path: string) => {
      const held = files.get(path);
      return held ? ok(held) : err({ kind: "not_found", code: "ENOENT", path } as const);
    },
    replace: async (path: string, bytes: Uint8Array) => {
      files.set(path, bytes);
      return ok(undefined);
    },
  } as Partial<Disk> as Disk;
  const clock = {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: async () => undefined,
  };
  return { http, disk, clock, log, entropy: { bytes: (count) => randomBytes(count) } };
}
