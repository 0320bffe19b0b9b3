/** A data plane alone: its policy comes in a bundle from a control plane elsewhere, and stays when that is gone. */

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { readBundle, writeBundle } from "../../../src/adapters/bundle/index.ts";
import { type Answer, ask, until, type World, type WorldOptions, world } from "./harness.ts";

const worlds: World[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((one) => one.close()));
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function made(options: WorldOptions = {}): Promise<World> {
  const one = await world(options);
  worlds.push(one);
  return one;
}

/** Its policy folder is left as it is and never read. */
const plane = (url: string, more = ""): Promise<World> =>
  made({
    policy: `
bundle:
  url: ${url}/bundles/holdfast
  public_keys: [./control.pem]
  poll_seconds_min: 1
  poll_seconds_max: 1
  ${more}`,
  });

const trust = (data: World, control: World): void =>
  copyFileSync(control.path("data/keys/bundle.pub.pem"), data.path("control.pem"));
const put = (here: World): Promise<Answer> => here.http("POST", "/http/desk/items", { weight: 1 });
const bundleOf = (here: World): string => here.path("data/bundles/current.tar.gz");
const ready = async (here: World): Promise<Record<string, unknown>> =>
  (await ask(`${here.gatewayUrl}/readyz`)).body;
const subscription = async (here: World): Promise<Record<string, unknown>> =>
  (await ready(here))["bundle"] as Record<string, unknown>;

const denyAll = `
policy: stop
rules:
  - { id: all, match: {}, outcome: deny, reason: nothing moves }
`;

test("pulled, verified and kept: it decides on after a restart with the control plane gone", async () => {
  const site = await made({ controlToken: "let-me-in" });
  const control = site.start("control");
  await control.line("bundle_published");
  const here = await plane(site.controlUrl, "token: { file: ./token }");
  trust(here, site);
  writeFileSync(here.path("token"), "wrong\n");
  const up = here.start("up");
  await up.line("gateway_listening");
  const refused = await until("the refusal", async () => {
    const { error } = await subscription(here);
    return String(error).includes("answered 401") ? await ready(here) : undefined;
  });
  expect(refused).toMatchObject({ ready: false, policy_version: null });
  expect((await put(here)).body).toMatchObject({ refusal: "no_policy" });

  // A token that is replaced is used, without a restart.
  writeFileSync(here.path("token"), "let-me-in\n");
  await up.line("policy_activated");
  expect((await put(here)).status).toBe(200);
  expect(up.log).not.toContain("control_listening");
  const told = await until("the confirmation", async () => {
    const status = await subscription(here);
    return status["error"] === null ? status : undefined;
  });
  expect(told).toMatchObject({ url: `${site.controlUrl}/bundles/holdfast`, stale: false });

  // A new policy comes at once: the control plane holds the request until there is one.
  const from = up.log.length;
  site.policy("stop.yaml", denyAll);
  await up.line("policy_activated", from);
  expect((await put(here)).body).toMatchObject({ reason: "nothing moves" });

  expect(await up.stop()).toBe(0);
  await control.stop("SIGKILL");
  const again = await here.gateway();
  expect((await put(here)).body).toMatchObject({ reason: "nothing moves" });
  await until("the failure", async () =>
    (await subscription(here))["error"] === null ? undefined : true,
  );
  const alone = await ask(`${here.gatewayUrl}/readyz`);
  expect([alone.status, alone.body["ready"]]).toEqual([200, true]);
  const metrics = String((await ask(`${here.gatewayUrl}/metrics`)).body["text"]);
  expect(metrics).toMatch(/^holdfast_bundle_requests_failed_total [1-9]/m);
  expect(metrics).toMatch(/^holdfast_policy_confirmed_age_seconds \d+$/m);
  expect(again.child.exitCode).toBeNull();
});

/** Any server of OPA bundles will do: files behind HTTP. */
async function fileServer(): Promise<{ url: string; serve(archive: Uint8Array): void }> {
  let served: Uint8Array = new Uint8Array();
  const server = createServer((_, answer) => answer.end(served));
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    serve: (archive) => {
      served = archive;
    },
  };
}

async function repacked(archive: Uint8Array, without: string, edit = ""): Promise<Uint8Array> {
  const files = await readBundle(archive);
  if (!files.ok) throw new Error(files.error.detail);
  const changed = new Map(files.value);
  const text = Buffer.from(changed.get(without) ?? []).toString();
  changed.delete(without);
  if (edit !== "") changed.set(without, Buffer.from(text.replace(edit, "x")));
  return writeBundle(changed);
}

test("an unsigned, a changed and an older bundle are refused, wherever they come from", async () => {
  const site = await made();
  const control = site.start("control");
  await control.line("bundle_published");
  const older = readFileSync(bundleOf(site));
  site.policy("stop.yaml", denyAll);
  await control.line("bundle_published", control.log.length);
  const newest = readFileSync(bundleOf(site));
  site.policy("stop.yaml", "policy: stop\n");
  await control.line("bundle_published", control.log.length);
  const back = readFileSync(bundleOf(site));

  const files = await fileServer();
  const here = await plane(files.url);
  trust(here, site);
  files.serve(newest);
  const gateway = await here.gateway();
  await gateway.line("policy_activated");
  const offered = async (archive: Uint8Array, error: RegExp): Promise<void> => {
    files.serve(archive);
    await until(String(error), async () => {
      const { policy_error: told } = await ready(here);
      return error.test(String(told)) ? true : undefined;
    });
    expect((await put(here)).body).toMatchObject({ reason: "nothing moves" });
    expect(Buffer.compare(readFileSync(bundleOf(here)), newest)).toBe(0);
  };
  await offered(await repacked(newest, ".signatures.json"), /no \.signatures\.json/);
  await offered(await repacked(newest, "data.json", "nothing moves"), /not what was signed/);
  await offered(older, /older than what decided here before/);

  // Put into the data folder by hand, and started again: the log remembers.
  await gateway.stop();
  writeFileSync(bundleOf(here), older);
  const again = await here.gateway();
  expect((await put(here)).body).toMatchObject({ reason: "nothing moves" });

  // The way back: the old policy published again has a new serial.
  files.serve(back);
  await again.line("policy_activated", again.log.length);
  expect((await put(here)).status).toBe(200);
  await again.stop();
  expect(here.audit("verify", ["--key", here.path("data/log/log.vkey")]).code).toBe(0);
  const serials = here
    .entries()
    .filter(({ kind }) => kind === "policy")
    .map((entry) => Number(entry["bundle_serial"]));
  expect(serials).toEqual([...serials].sort((a, b) => a - b));
  expect(new Set(serials).size).toBe(2);
});
