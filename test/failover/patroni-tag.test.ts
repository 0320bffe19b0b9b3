/** A standby that drifted is out of the race before the leader dies (AG-403 4.8), on a real Patroni. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { undiciTransport } from "../../src/adapters/http/index.ts";
import { tagStandby } from "../../src/adapters/patroni/index.ts";
import { PatroniCluster, until } from "../fixtures/patroni.ts";

test("nofailover is set while Patroni runs and keeps the standby from promotion; taken back, it is promoted", async () => {
  const cluster = await PatroniCluster.start({ names: ["fra", "dub"] });
  const http = undiciTransport({ addresses: "not_metadata" });
  try {
    const [fra, dub] = [cluster.node("fra"), cluster.node("dub")];
    const parts = {
      ...{ folder: dub.configurationFolder, http, clock: systemClock },
      apiUrl: `http://127.0.0.1:${dub.ports.api}`,
    };
    expect(await tagStandby(parts, true)).toEqual({ ok: true, value: undefined });
    // The cluster's view, and not only the node's own.
    await until("the tag in the cluster", async () =>
      /"name": "dub".*"nofailover": true/.test((await fra.rest("/cluster")).text),
    );
    await fra.kill();
    // Twice the time after which it is promoted otherwise.
    await expect(until("a promotion", () => dub.takesWrites(), 45_000)).rejects.toThrow("waited");
    expect(await tagStandby(parts, false)).toEqual({ ok: true, value: undefined });
    await until("a promotion", () => dub.takesWrites());
    const gone = { ...parts, apiUrl: "http://127.0.0.1:9" };
    const failed = await tagStandby(gone, true);
    expect(failed.ok ? "" : failed.error).toMatch(/^Patroni at .*reload: /);
  } finally {
    await http.close();
    await cluster.remove();
  }
});
