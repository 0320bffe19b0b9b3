/** The name of the agents on a real BIND (AG-403 4.5): who may write it, and that it is compare-and-swap. */
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { type DnsError, DnsSteering, type TsigKey } from "../../../src/adapters/dns/index.ts";
import type { Result } from "../../../src/kernel/index.ts";
import type { Clock } from "../../../src/ports.ts";
import { BindServer, governedKey } from "../../fixtures/bind.ts";
import { freePort } from "../../fixtures/free-port.ts";

const [frankfurt, dublin, sinkhole] = ["10.1.0.1", "10.2.0.1", "10.0.0.53"] as const;
let bind: BindServer;
beforeAll(async () => {
  const records = ["old IN A 10.1.0.1", 'foreign IN TXT "v=spf1 -all"'];
  bind = await BindServer.start(records, "subdomain lab.example. A AAAA TXT");
});
afterAll(() => bind.remove());

function steering(
  name: string,
  { key = governedKey, clock = systemClock, port = bind.port }: Parts = {},
): DnsSteering {
  const server = { host: "127.0.0.1", port };
  const at = { server, zone: "lab.example", name: `${name}.lab.example`, key, ttlSeconds: 5 };
  return new DnsSteering(at, clock);
}

interface Parts {
  readonly key?: TsigKey;
  readonly clock?: Clock;
  readonly port?: number;
}

const to = (addresses: readonly string[], epoch: number) => ({
  ...{ addresses, epoch },
  verdict: `sha256:${String(epoch).padStart(64, "0")}`,
});

/** `written`, `stood there`, or the kind of the error with its words. */
async function told(result: Promise<Result<boolean, DnsError>>): Promise<string> {
  const settled = await result;
  if (settled.ok) return settled.value ? "written" : "stood there";
  return `${settled.error.kind}: ${settled.error.detail}`;
}

async function addresses(name: string): Promise<readonly string[] | string> {
  const now = await steering(name).now();
  return now.ok ? now.value.addresses : now.error.detail;
}

test("a name is pointed at a site, then at the next, then at the sinkhole, with the verdict beside it", async () => {
  const name = steering("agents");
  expect(await told(name.point(to([frankfurt], 1)))).toBe("written");
  expect(await told(name.point(to([frankfurt], 1)))).toBe("stood there");
  expect(await told(name.point(to([dublin, "2001:db8::2:1"], 2)))).toBe("written");
  const now = await name.now();
  expect(now.ok && now.value).toEqual({
    addresses: [dublin, "2001:db8:0:0:0:0:2:1"],
    mark: `holdfast verdict=${to([], 2).verdict} epoch=2`,
  });
  expect(await told(name.point({ addresses: [sinkhole], verdict: "none", epoch: 2 }))).toBe(
    "written",
  );
  expect(await addresses("agents")).toEqual([sinkhole]);
});

test("a name that stood there before Holdfast is taken over", async () => {
  expect(await told(steering("old").point(to([dublin], 1)))).toBe("written");
  expect(await addresses("old")).toEqual([dublin]);
});

test("a text of somebody else at the name is not written over", async () => {
  expect(await told(steering("foreign").point(to([dublin], 1)))).toMatch(
    /^refused: the TXT record .*not ours/,
  );
});

test("a zombie that writes from what it read before the failover is refused by the server", async () => {
  const name = steering("zombie");
  await name.point(to([frankfurt], 1));
  const before = await name.now();
  await name.point(to([dublin], 2));
  if (!before.ok) throw new Error(before.error.detail);
  // Even one that thinks its epoch is the highest of all.
  expect(await told(name.replace(before.value, to([frankfurt], 9)))).toMatch(
    /^conflict: .*NXRRSET/,
  );
  expect(await addresses("zombie")).toEqual([dublin]);
});

test("a zombie that reads again sees the higher epoch and keeps still", async () => {
  const name = steering("late");
  await name.point(to([dublin], 2));
  expect(await told(name.point(to([frankfurt], 1)))).toBe(
    "refused: the name was written under epoch 2, and ours is 1",
  );
});

test("of many who switch at once one does", async () => {
  const name = steering("race");
  await name.point(to([frankfurt], 1));
  const before = await name.now();
  if (!before.ok) throw new Error(before.error.detail);
  const sites = Array.from({ length: 8 }, (_, site) => to([`10.9.0.${site}`], 2 + site));
  const results = await Promise.all(sites.map((site) => told(name.replace(before.value, site))));
  expect(results.filter((each) => each === "written")).toHaveLength(1);
  expect(results.filter((each) => each.startsWith("conflict"))).toHaveLength(7);
});

test("without the secret, with a wrong one, with a key that is not granted, or an hour late: refused", async () => {
  const wrong = { name: governedKey.name, secret: Buffer.from("wrong") };
  const unknown = { ...governedKey, name: "nobody." };
  const ungranted = { ...governedKey, name: "other." };
  const late: Clock = { ...systemClock, wallMs: () => Date.now() - 3_600_000 };
  const now = { addresses: [], mark: null };
  const tried = async (parts: Parts) =>
    told(steering("guarded", parts).replace(now, to([dublin], 1)));
  expect(await tried({ key: wrong })).toMatch(/^refused: .*BADSIG/);
  expect(await tried({ key: unknown })).toMatch(/^refused: .*BADKEY/);
  expect(await tried({ clock: late })).toMatch(/^refused: .*BADTIME/);
  expect(await tried({ key: ungranted })).toMatch(/^refused: .*REFUSED/);
  const unsigned = spawnSync("nsupdate", [], {
    input: `server 127.0.0.1 ${bind.port}\nupdate add guarded.lab.example 5 A ${dublin}\nsend\n`,
    encoding: "utf8",
  });
  expect(unsigned.stderr).toContain("REFUSED");
  expect(await addresses("guarded")).toEqual([]);
});

test("an answer that is not signed by the server is not believed", async () => {
  // Plays the server: says NOERROR to everything, without the secret.
  const liar = createServer((socket) =>
    socket.on("data", (bytes) => {
      const answer = Buffer.from(bytes.subarray(0, 14));
      answer.writeUInt16BE(12, 0);
      answer.writeUInt16BE(0xa800, 4);
      answer.fill(0, 6);
      socket.write(answer);
    }),
  );
  await new Promise<void>((done) => liar.listen(0, "127.0.0.1", done));
  const address = liar.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const name = steering("lied", { port });
  expect(await told(name.replace({ addresses: [], mark: null }, to([dublin], 1)))).toBe(
    "unknown: the answer is not signed",
  );
  expect(await told(name.point(to([dublin], 1)))).toBe("unreachable: the answer is not signed");
  liar.close();
});

test("a server that is gone is unreachable; one that stands still leaves an update unknown", async () => {
  const gone = steering("gone", { port: await freePort() });
  const nothing = { addresses: [], mark: null };
  expect(await told(gone.replace(nothing, to([dublin], 1)))).toMatch(/^unreachable: /);
  bind.signal("SIGSTOP");
  const stopped = told(steering("stopped").replace(nothing, to([dublin], 1)));
  expect(await stopped).toMatch(/^unknown: no answer within/);
  bind.signal("SIGCONT");
});
