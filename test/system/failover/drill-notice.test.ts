/**
 * AG-403 4.7: the control process tells people of a drill that is overdue, once over its lives, and again when it was held:
 * a real drill, its signed journal, a webhook.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listening, start } from "../../fixtures/processes.ts";
import { TwoSites, until } from "../../fixtures/two-sites.ts";
import { WebhookStandIn } from "../../fixtures/webhook-stand-in.ts";
import { failoverCommand } from "../../unit/cli/failover-command.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-drill-notice-"));
const at = (path: string): string => join(folder, path);
const made: { hook?: WebhookStandIn; world?: TwoSites; control?: Listening } = {};

beforeAll(async () => {
  const hook = await WebhookStandIn.start();
  made.hook = hook;
  const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const extra = `  drills: { folder: ../drills, schedule: ../schedule.yaml, channels: [pager] }
approvals:
  channels:
    pager: { webhook: { url: "${hook.url}", secret: ${secret} } }
`;
  writeFileSync(at("schedule.yaml"), `drills: [{ experiment: ${at("ours.json")} }]\n`);
  writeFileSync(at("ours.json"), JSON.stringify(experiment));
  writeFileSync(at("component"), "it is there");
  made.world = await TwoSites.prepare(folder, { extra: (site) => (site === "fra" ? extra : "") });
});
afterAll(async () => {
  made.control?.kill();
  await made.world?.close();
  await made.hook?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const shell = (name: string, file: string, ...args: readonly string[]) => {
  return { name, provider: { type: "process", path: file, arguments: args } };
};
const isThere = shell("it is there", "/usr/bin/test", "-e", at("component"));
const isGone = shell("it is gone", "/usr/bin/test", "!", "-e", at("component"));
/** Takes a file away and puts it back: what a drill is made of, and nothing more. */
const experiment = {
  ...{ version: "1.0.0", title: "A file is gone", description: "For the notice of it." },
  "steady-state-hypothesis": {
    title: "the folder is there",
    probes: [{ type: "probe", tolerance: 0, ...shell("folder", "/usr/bin/test", "-d", folder) }],
  },
  method: [{ type: "action", ...shell("take", "/bin/mv", at("component"), at("aside")) }],
  rollbacks: [{ type: "action", ...shell("give", "/bin/mv", at("aside"), at("component")) }],
  extensions: [
    {
      ...{ name: "holdfast", scenario: "ours", deployment: "trading-agents" },
      targets: [{ site: "dub", components: ["mandate-gateway"], paths: [folder], origins: [] }],
      allow_ready_site: true,
      reach: Object.fromEntries(
        ["take", "give"].map((name) => [name, { site: "dub", component: "mandate-gateway" }]),
      ),
      fault_proof: [{ probe: { type: "probe", tolerance: 0, ...isGone }, within_seconds: 5 }],
      expect: [{ probe: { type: "probe", tolerance: 0, ...isGone }, within_seconds: 5 }],
      recovery: [{ probe: { type: "probe", tolerance: 0, ...isThere }, within_seconds: 5 }],
      state: [{ type: "probe", tolerance: 0, ...isThere }],
      controls: ["AG-403:4.7"],
    },
  ],
};

/** The types of the events that came, in order. */
function told(): readonly string[] {
  const hook = made.hook as WebhookStandIn;
  return hook.posted.map(({ body }) => String((JSON.parse(body) as { type: unknown }).type));
}

async function control(): Promise<void> {
  const { world } = made;
  const args = [resolve("bin/holdfast.mjs"), "control", "--config", world?.config("fra") ?? ""];
  made.control = await start({ args });
}

test("AG-403 4.7: people are told of an overdue drill once, and again when it was held", async () => {
  await control();
  await until(() => told().length > 0, 30_000);
  made.control?.kill("SIGTERM");
  await made.control?.exited;
  await control();
  const url = made.control?.url;
  const due = async () => {
    const asked = await fetch(`${url}/statusz`);
    const { notices } = (await asked.json()) as { notices: { drills: { overdue: boolean }[] } };
    return notices.drills.map(({ overdue }) => overdue);
  };
  await until(async () => (await due())[0] === true, 30_000);
  expect(told()).toEqual(["io.holdfast.drills.overdue"]);
  const manifest = ["--manifest", at("manifest.yaml"), "--folder", at("drills")];
  const held = await failoverCommand("drill", "run", at("ours.json"), ...manifest, "--allow-ready");
  expect(held.code, held.err + held.out).toBe(0);
  await until(() => told().length > 1, 30_000);
  expect(told().slice(1)).toEqual(["io.holdfast.drills.held"]);
  expect((made.hook as WebhookStandIn).posted[1]?.body).toContain("held: pass at");
  expect(await due()).toEqual([false]);
});
