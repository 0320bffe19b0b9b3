/**
 * Scenario B: a region of the Union is lost, and the name server sends the agents to Virginia, where their data may not be.
 */
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BindServer, governedKey } from "../../test/fixtures/bind.ts";
import { dnsQuestions } from "../../test/fixtures/dns-questions.ts";
import { until } from "../../test/fixtures/patroni.ts";
import { PowerDnsServer } from "../../test/fixtures/powerdns.ts";
import { TwoSites } from "../../test/fixtures/two-sites.ts";
import { pause } from "./database-writer.ts";
import { type Run, spanSeconds } from "./figures.ts";
import { stockDigest, stockText } from "./stock.ts";

export const addresses = { fra: "10.1.0.1", dub: "10.2.0.1", iad: "10.9.0.1" } as const;
const beforeMs = 7_000;
const afterMs = 20_000;
const everyMs = 20;

/** Each answer is followed: the agent's next action goes to the site it names. */
export interface Following {
  readonly resolutions: number;
  readonly answered: readonly string[];
  readonly unapprovedAtMs: readonly number[];
}

export async function follow(port: number, forMs: number): Promise<Following> {
  const socket = createSocket("udp4");
  const ask = dnsQuestions(socket, port);
  const answered = new Set<string>();
  const unapprovedAtMs: number[] = [];
  let resolutions = 0;
  try {
    for (const end = performance.now() + forMs; performance.now() < end; await pause(everyMs)) {
      const [address] = await ask("agents.lab.example");
      resolutions += 1;
      if (address !== undefined) answered.add(address);
      if (address === addresses.iad) unapprovedAtMs.push(performance.now());
    }
  } finally {
    socket.close();
  }
  return { resolutions, answered: [...answered].sort(), unapprovedAtMs };
}

export async function stockPowerDns(): Promise<Run> {
  const up = new Set(["fra", "dub", "iad"]);
  const health = createServer(({ url }, answer) => {
    answer.writeHead(up.has((url ?? "").slice(1)) ? 200 : 503).end();
  });
  await new Promise<void>((done) => health.listen(0, "127.0.0.1", done));
  const bound = health.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const zone = stockText("powerdns.zone", { ...addresses, health: `http://127.0.0.1:${port}` });
  const server = await PowerDnsServer.start(zone);
  try {
    const before = await follow(server.port, beforeMs);
    for (const site of ["fra", "dub"]) up.delete(site);
    const after = await follow(server.port, afterMs);
    return stockRun("PowerDNS, ifurlextup", "powerdns.zone", before, after);
  } finally {
    await server.remove();
    health.close();
  }
}

export async function stockBind(): Promise<Run> {
  const records = stockText("bind.zone", addresses).split("\n");
  const server = await BindServer.start(records, "name agents.lab.example. A");
  try {
    const before = await follow(server.port, 1_000);
    // BIND asks nobody whether they are up; the loss of a region changes nothing.
    const after = await follow(server.port, beforeMs);
    return stockRun("BIND, addresses in turn", "bind.zone", before, after);
  } finally {
    await server.remove();
  }
}

function stockRun(setup: string, file: string, before: Following, after: Following): Run {
  const unapproved = after.unapprovedAtMs;
  return {
    ...{ scenario: "B", title: "DNS sends traffic outside the jurisdiction" },
    ...{ variant: "stock", setup },
    configurations: [stockDigest(file)],
    figures: {
      ungoverned_actions: unapproved.length,
      ungoverned_seconds: spanSeconds(unapproved),
      audit_rows_lost: null,
      unapproved_addresses_answered: unapproved.length,
    },
    proof: {
      resolutions: after.resolutions,
      answered_before: before.answered.join(" "),
      answered_after: after.answered.join(" "),
    },
  };
}

const sinkhole = "10.0.0.53";

/**
 * BIND answers what a guard has written, and nobody else may write. Frankfurt is lost, and Dublin is not intact: the name goes to the
 * sinkhole, and back to Dublin when that is repaired. Virginia stands in no manifest.
 */
export async function governedBind(): Promise<Run> {
  const name = "agents.lab.example";
  const bind = await BindServer.start([], `name ${name}. A AAAA TXT`);
  const folder = mkdtempSync(join(tmpdir(), "holdfast-scenario-b-"));
  const key = Buffer.from(governedKey.secret).toString("base64");
  const world = await TwoSites.prepare(folder, {
    extra: (site) =>
      `  dns: { server: "127.0.0.1:${bind.port}", zone: lab.example, name: ${name}, key_name: ${governedKey.name}, key: "${key}", addresses: ["${addresses[site]}"], sinkhole: ["${sinkhole}"] }\n  automatic: true\n`,
  });
  const answers = async (address: string): Promise<boolean> =>
    (await follow(bind.port, 1)).answered[0] === address;
  try {
    await world.startGuard("fra");
    await world.startGuard("dub");
    await world.reaches("fra", "ready");
    await world.compares("dub");
    await until("the name at Frankfurt", () => answers(addresses.fra));
    world.set("dub", "mandate-gateway", "fail");
    world.guard("fra").kill();
    const after = await follow(bind.port, afterMs + beforeMs);
    const repaired = performance.now();
    world.set("dub", "mandate-gateway", "fine");
    await until("the name at Dublin", () => answers(addresses.dub));
    const unapproved = after.unapprovedAtMs;
    return {
      ...{ scenario: "B", title: "DNS sends traffic outside the jurisdiction" },
      ...{ variant: "governed", setup: "BIND, written by Holdfast's guards only" },
      configurations: [],
      figures: {
        ungoverned_actions: unapproved.length,
        ungoverned_seconds: spanSeconds(unapproved),
        audit_rows_lost: null,
        unapproved_addresses_answered: unapproved.length,
      },
      proof: {
        resolutions: after.resolutions,
        ...{ answered_before: addresses.fra, answered_after: after.answered.join(" ") },
        resumed_ms_after_repair: Math.round(performance.now() - repaired),
      },
    };
  } finally {
    await world.close();
    await bind.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
