/** Policies change under a running gateway: whole, at once, told to clients, and never to something broken. */
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import { ask, decisionIn, deskPolicy, type Process, until, type World, world } from "./harness.ts";

const made: { it?: World; control?: Process; gateway?: Process } = {};
const here = (): World => made.it as World;
const running = (): { control: Process; gateway: Process } =>
  made as { control: Process; gateway: Process };

beforeAll(async () => {
  made.it = await world();
  Object.assign(made, await here().both());
});
afterAll(() => here().close());

const everything = (echo: string): string => `
policy: everything
rules:
  - id: try
    match: { tools: [everything:get-sum${echo}] }
    outcome: allow
`;

for (const [era, options] of [
  ["legacy", {}],
  ["modern", auto],
] as const)
  test(`${era} client: decisions and lists change without a restart, and it is told`, async () => {
    here().policy("everything.yaml", everything(", everything:echo"));
    const told: string[] = [];
    const onChanged = (): void => void told.push("changed");
    const client = await here().client("everything", {
      ...options,
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
    });
    expect(client.getProtocolEra()).toBe(era);
    const listed = async (): Promise<string> =>
      (await client.listTools()).tools
        .map(({ name }) => name)
        .sort()
        .join(" ");
    await until("echo is listed", async () =>
      (await listed()) === "echo get-sum" ? true : undefined,
    );
    const echo = { name: "echo", arguments: { message: "hi" } };
    expect(decisionIn(await client.callTool(echo))["decision"]).toBe("allow");
    told.length = 0;
    here().policy("everything.yaml", everything(""));
    await until("the notification", async () => told[0]);
    expect(await listed()).toBe("get-sum");
    const denied = await client.callTool(echo);
    expect([denied.isError, decisionIn(denied)["decision"]]).toEqual([true, "deny"]);
    expect(await running().gateway.line("policy_activated")).toBeDefined();
  });

test("a broken file is reported with its place and the nearest word; the last good decides", async () => {
  const { control, gateway } = running();
  const before = await ask(`${here().gatewayUrl}/readyz`);
  const from = control.log.length;
  here().policy("desk.yaml", deskPolicy.replace("outcome: allow", "outcom: allow"));
  const refused = await control.line("policies_refused", from);
  const said = JSON.stringify(refused["errors"]);
  expect(said).toMatch(/desk\.yaml:\d+:\d+: error: .*outcom.*did you mean outcome\?/);
  const status = await ask(`${here().controlUrl}/readyz`);
  expect(status.status).toBe(200);
  expect(status.body["errors"]).toEqual(refused["errors"]);
  expect(status.body["revision"]).toBe(before.body["policy_version"]);
  expect((await here().http("POST", "/http/desk/items", {})).status).toBe(200);
  expect((await ask(`${here().gatewayUrl}/readyz`)).body).toMatchObject({
    ready: true,
    policy_version: before.body["policy_version"],
  });
  // Repaired, and different, it becomes active.
  const gatewayFrom = gateway.log.length;
  here().policy(
    "desk.yaml",
    deskPolicy.replace("> 100\n    outcome: deny", "> 5\n    outcome: deny"),
  );
  await gateway.line("policy_activated", gatewayFrom);
  expect((await ask(`${here().controlUrl}/readyz`)).body["errors"]).toEqual([]);
  expect((await here().http("POST", "/http/desk/broken", { weight: 6 })).status).toBe(403);
});

test("a file that is being written never decides half", async () => {
  const { control, gateway } = running();
  const path = here().path("policies/desk.yaml");
  const whole = deskPolicy.replace("weight > 100", "weight > 7");
  const from = gateway.log.length;
  const controlFrom = control.log.length;
  writeFileSync(path, "");
  // Each piece leaves a text that would load, some without the rule that denies.
  const pieces = whole.split(/(?<=\n)/);
  for (const piece of pieces) {
    appendFileSync(path, piece);
    await new Promise((wake) => setTimeout(wake, 30));
  }
  const activated = await gateway.line("policy_activated", from);
  const versions = gateway.log.slice(from).match(/"policy_activated"/g);
  expect(versions).toHaveLength(1);
  expect((await ask(`${here().controlUrl}/readyz`)).body["revision"]).toBe(activated["revision"]);
  expect(control.log.slice(controlFrom)).not.toContain("policies_refused");
  expect((await here().http("POST", "/http/desk/broken", { weight: 6 })).status).toBe(200);
  expect((await here().http("POST", "/http/desk/broken", { weight: 8 })).status).toBe(403);
});

test("a policy folder that is gone is reported, and the last good decides", async () => {
  const { control } = running();
  const from = control.log.length;
  renameSync(here().path("policies"), here().path("elsewhere"));
  const refused = await control.line("policies_refused", from);
  expect(String(refused["errors"])).toContain("ENOENT");
  expect((await here().http("POST", "/http/desk/items", {})).status).toBe(200);
});
