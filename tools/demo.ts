/**
 * The main job, seen from the terminal: two MCP reference servers and a payments API behind Holdfast, driven by the
 * official MCP client and by plain HTTP; a payment that people decide on in Slack (a stand-in for it); then the record
 * verified offline. Exits 0 only if each step was as expected. `--stay` starts the same and stays.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { DemoPeople } from "./demo-people.ts";

const root = resolve(import.meta.dirname, "..");
const stay = process.argv.includes("--stay");
const token = "support-bot-development-token";
/** The first of three ports in a row: gateway, control, payments. */
const port = Number(process.env["HOLDFAST_DEMO_PORT"] ?? 7080);
const policies = process.env["HOLDFAST_DEMO_POLICIES"] ?? join(root, "examples/policies");
const [gatewayUrl, controlUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`];
const startTimeoutMs = 30_000;

/** What the agent saw of one call. */
interface Seen {
  readonly decision: string;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly receipt: string | undefined;
  readonly refusal: string | undefined;
  readonly approvalId: string | undefined;
}

interface Step {
  readonly what: string;
  /** A decision, or the code of a refusal. */
  readonly expected: string;
  readonly call: () => Promise<Seen>;
  /** Beyond the decision: what must be true now. */
  readonly check?: () => boolean;
  /** What people do next; what is to be said of it. */
  readonly after?: (seen: Seen) => Promise<string>;
}

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const base = stay ? join(root, ".holdfast") : mkdtempSync(join(tmpdir(), "holdfast-demo-"));
  const people = stay ? undefined : await DemoPeople.start(controlUrl);
  const started = begin(base, people?.config ?? ownApprover());
  try {
    await ready(`${controlUrl}/readyz`, base);
    await ready(`${gatewayUrl}/readyz`, base);
    if (people === undefined) return await staying(started, base);
    const client = await connect("files");
    const receipts = await runSteps([...stepsOf(base, client), ...approvalSteps(base, people)]);
    await client.close();
    await ended(started.holdfast);
    return receipts === undefined ? 1 : verifyOffline(base, receipts);
  } finally {
    for (const child of Object.values(started)) child.kill("SIGTERM");
    await ended(started.holdfast);
    await people?.stop();
    if (!stay) rmSync(base, { recursive: true, force: true });
  }
}

interface Started {
  readonly payments: ChildProcess;
  readonly holdfast: ChildProcess;
}

/** Whoever starts it may answer, from this machine. */
function ownApprover(): string {
  const { username } = userInfo();
  return `
approvals:
  hold_seconds: 0
  approvers: [{ id: ${JSON.stringify(username)}, groups: [payments-leads], cli_users: [${JSON.stringify(username)}] }]
`;
}

/** `more` is added to the configuration. */
function begin(base: string, more: string): Started {
  mkdirSync(join(base, "workspace"), { recursive: true });
  writeFileSync(join(base, "workspace", "welcome.txt"), "Hello from the workspace.\n");
  const config = readFileSync(join(root, "examples/holdfast.yaml"), "utf8")
    .replaceAll("../.holdfast", base)
    .replaceAll("../node_modules", join(root, "node_modules"))
    .replaceAll("../schemas", join(root, "schemas"))
    .replaceAll("./policies", resolve(policies))
    .replaceAll(/127\.0\.0\.1:708(\d)/g, (_, last: string) => `127.0.0.1:${port + Number(last)}`)
    .replaceAll(/: \.\//g, `: ${join(root, "examples")}/`);
  const configPath = join(base, "holdfast.yaml");
  writeFileSync(configPath, config + more);
  const payments = spawn(
    process.execPath,
    [join(root, "examples/payments/server.ts"), String(port + 2), join(base, "payments.jsonl")],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const holdfast = spawn(
    process.execPath,
    [join(root, "bin/holdfast.mjs"), "up", "--config", configPath],
    { stdio: ["ignore", "inherit", stay ? "inherit" : openSync(join(base, "holdfast.log"), "a")] },
  );
  return { payments, holdfast };
}

async function ready(url: string, base: string): Promise<void> {
  const until = performance.now() + startTimeoutMs;
  let last = "no answer";
  while (performance.now() < until) {
    try {
      const answer = await fetch(url);
      if (answer.ok) return;
      last = await answer.text();
    } catch (thrown) {
      last = String(thrown);
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`${url} did not become ready: ${last}\n${logOf(base)}`);
}

function logOf(base: string): string {
  return stay ? "" : readFileSync(join(base, "holdfast.log"), "utf8");
}

async function connect(server: string): Promise<Client> {
  const client = new Client({ name: "demo-agent", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(`${gatewayUrl}/mcp/${server}`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return client;
}

function stepsOf(base: string, client: Client): readonly Step[] {
  const workspace = join(base, "workspace");
  const report = join(workspace, "report.md");
  const journal = (): string => readFileSync(join(base, "payments.jsonl"), "utf8");
  const pay = (amount: number) => () =>
    payment({
      amount,
      currency: "EUR",
      account_id: "acct_1001",
      card_number: "4111111111111111",
      memo: "invoice 7",
    });
  return [
    {
      what: "read a file",
      expected: "allow",
      call: () => tool(client, "read_text_file", { path: join(workspace, "welcome.txt") }),
    },
    {
      what: "write a report",
      expected: "allow",
      call: () => tool(client, "write_file", { path: report, content: "# Report\n" }),
      check: () => readFileSync(report, "utf8") === "# Report\n",
    },
    {
      what: "move a file away",
      expected: "deny",
      call: () =>
        tool(client, "move_file", { source: report, destination: join(workspace, "gone.md") }),
      check: () => readFileSync(report, "utf8") === "# Report\n",
    },
    {
      what: "pay 120.00 EUR, with a card number",
      expected: "sanitize",
      call: pay(120),
      check: () => journal().includes("1111") && !journal().includes("4111111111111111"),
    },
  ];
}

/** One payment over the limit, until it is made: once, after somebody has said so. */
function approvalSteps(base: string, people: DemoPeople): readonly Step[] {
  const paid = (): number =>
    readFileSync(join(base, "payments.jsonl"), "utf8").split("75000").length - 1;
  let token: string | undefined;
  const pay = (): Promise<Seen> =>
    payment(
      { amount: 75_000, currency: "EUR", account_id: "acct_1001", memo: "invoice 8" },
      token === undefined ? {} : { "holdfast-override": token },
    );
  return [
    {
      what: "pay 75,000 EUR",
      expected: "approval_needed",
      call: pay,
      check: () => paid() === 0,
      after: () => people.answer("decline", "the invoice is for 7,500"),
    },
    { what: "the same again", expected: "declined", call: pay, check: () => paid() === 0 },
    {
      what: "asked anew, with the right invoice",
      expected: "approval_needed",
      call: pay,
      check: () => paid() === 0,
      after: async ({ approvalId }) => {
        const said = await people.answer("approve", "checked with the supplier");
        token = await overrideToken(approvalId ?? "");
        return said;
      },
    },
    { what: "the same, once", expected: "allow", call: pay, check: () => paid() === 1 },
    { what: "and twice", expected: "override_replayed", call: pay, check: () => paid() === 1 },
  ];
}

/** The agent looks after its own question. */
async function overrideToken(approvalId: string): Promise<string | undefined> {
  const answer = await fetch(`${gatewayUrl}/approvals/${approvalId}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const status = (await answer.json()) as { readonly override_token?: string };
  return status.override_token;
}

async function tool(client: Client, name: string, args: Record<string, unknown>): Promise<Seen> {
  const result = await client.callTool({ name, arguments: args });
  const meta = result._meta ?? {};
  const decision = meta["io.holdfast/decision"] as Record<string, unknown> | undefined;
  return {
    decision: String(decision?.["decision"] ?? "none"),
    reason: String(decision?.["reason"] ?? ""),
    rules: (decision?.["determining_rules"] as string[] | undefined) ?? [],
    receipt: meta["io.holdfast/receipt"] as string | undefined,
    refusal: undefined,
    approvalId: undefined,
  };
}

async function payment(
  body: Record<string, unknown>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  const answer = await fetch(`${gatewayUrl}/http/payments/payments`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const problem = answer.ok ? {} : ((await answer.json()) as Record<string, unknown>);
  const receipt = answer.headers.get("holdfast-receipt");
  return {
    decision: answer.headers.get("holdfast-decision") ?? "none",
    reason: String(problem["detail"] ?? ""),
    rules: (problem["determining_rules"] as string[] | undefined) ?? [],
    receipt: receipt === null ? undefined : Buffer.from(receipt, "base64url").toString(),
    refusal: problem["refusal"] as string | undefined,
    approvalId: problem["approval_id"] as string | undefined,
  };
}

/** Prints a line a step. The receipts, or undefined when a step was not as expected. */
async function runSteps(steps: readonly Step[]): Promise<readonly string[] | undefined> {
  const receipts: string[] = [];
  let wrong = 0;
  for (const step of steps) {
    const seen = await step.call();
    const right = isRight(step, seen);
    if (!right) wrong += 1;
    if (seen.receipt !== undefined) receipts.push(seen.receipt);
    say(`${right ? "✓" : "✗"} ${cameTo(seen).padEnd(18)}${step.what}`);
    if (seen.reason !== "") say(`${" ".repeat(20)}${seen.reason}`);
    if (step.after !== undefined && right) say(`${" ".repeat(20)}${await step.after(seen)}`);
  }
  if (wrong > 0) say(`\n${wrong} of ${steps.length} steps were not as expected`);
  return wrong === 0 ? receipts : undefined;
}

function cameTo({ refusal, decision }: Seen): string {
  return refusal ?? decision;
}

function isRight({ expected, check }: Step, seen: Seen): boolean {
  return cameTo(seen) === expected && (check?.() ?? true) && seen.receipt !== undefined;
}

/** With the gateway stopped: the whole log, and each receipt that the agent was given. */
function verifyOffline(base: string, receipts: readonly string[]): number {
  const log = join(base, "data", "log");
  say("\nHoldfast is stopped. Verifying its record offline:");
  const kept = receipts.flatMap((receipt, i) => {
    const path = join(base, `${i}.tlog-proof`);
    writeFileSync(path, receipt);
    return ["--receipt", path];
  });
  const good = holdfast(["audit", "verify", log, "--key", join(log, "log.vkey"), ...kept]) === 0;
  say(good ? "✓ every call, its record and its receipt agree" : "✗ verification failed");
  const isNamed = namesApprover(log);
  say(`${isNamed ? "✓" : "✗"} the record of the payment names who approved it`);
  return good && isNamed ? 0 : 1;
}

function namesApprover(log: string): boolean {
  const args = [join(root, "bin/holdfast.mjs"), "audit", "show", log, "--json"];
  const shown = spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
  const entries = shown.split("\n").filter((line) => line !== "");
  return entries.some((line) => {
    const { approved_by: by, tool: what } = JSON.parse(line) as Record<string, unknown>;
    return what === "payments:POST /payments" && JSON.stringify(by) === '["dana"]';
  });
}

function holdfast(args: readonly string[]): number {
  const run = spawnSync(process.execPath, [join(root, "bin/holdfast.mjs"), ...args], {
    stdio: "inherit",
  });
  return run.status ?? 1;
}

async function staying(started: Started, base: string): Promise<number> {
  say(`\nHoldfast runs. MCP: ${gatewayUrl}/mcp/files and ${gatewayUrl}/mcp/everything`);
  say(`HTTP tools: ${gatewayUrl}/http/payments   Bundles for OPA: ${controlUrl}/bundles/holdfast`);
  say(`Agents send: Authorization: Bearer ${token}`);
  say(
    `Configuration: ${join(base, "holdfast.yaml")}. Policies: examples/policies (edit one: it is live).`,
  );
  say(
    "A payment of 5,000 or more waits for you: npx holdfast approvals list --config .holdfast/holdfast.yaml",
  );
  say("Ctrl-C stops.\n");
  process.once("SIGINT", () => started.holdfast.kill("SIGINT"));
  process.once("SIGTERM", () => started.holdfast.kill("SIGTERM"));
  return new Promise((done) => started.holdfast.once("exit", (code) => done(code ?? 1)));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  await gone;
}

process.exitCode = await main();
