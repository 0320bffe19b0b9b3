/**
 * The agent frameworks of examples/agents as they are: each in its own process, with a scripted model, against the real
 * command in front of the reference file server. Each does its task, is refused once, and heeds the
 * refusal. Their pages show the code that runs, and what it prints.
 */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, supportBot, type World, world } from "../product/harness.ts";

const agents = join(root, "examples/agents");
const frameworks = readdirSync(agents, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let site: World;
beforeAll(async () => {
  site = await world();
  await site.both();
});
afterAll(() => site.close());

test("there are three", () => {
  expect(frameworks.sort()).toEqual(["langgraph", "openai-agents", "vercel-ai-sdk"]);
});

for (const framework of frameworks)
  test(`${framework}: does its task, is refused a step, and does what the refusal suggests`, async () => {
    const before = recorded().length;
    const said = await run(framework);
    // What the model was shown of the refusal: it alone says what was decided, why, and what to look up.
    expect(said).toContain("The report is in weekly-report.md. My first try was refused:");
    expect(said).toContain("Files whose name starts with a point hold settings and keys");
    expect(said).toContain("decision=deny");
    expect(said).toContain("rule=files/no-hidden-files");

    const workspace = site.path("workspace");
    expect(readdirSync(workspace).sort()).toEqual(["weekly-report.md", "welcome.txt"]);
    rmSync(join(workspace, "weekly-report.md"));

    expect(recorded().slice(before)).toEqual([
      ["support-bot", "files:list_allowed_directories", "allow", "files/read", "ok"],
      ["support-bot", "files:write_file", "deny", "files/no-hidden-files", undefined],
      ["support-bot", "files:write_file", "allow", "files/write", "ok"],
    ]);
    const log = site.path("data/log");
    expect(site.audit("verify", ["--key", join(log, "log.vkey")]).code).toBe(0);

    const page = pageOf(framework);
    expect(steady(said)).toBe(steady(page("text")));
    const code = readFileSync(join(agents, framework, "agent.ts"), "utf8");
    expect(code.replaceAll(/^ {2}/gm, "")).toContain(page("ts"));
  });

test("an agent that is nobody gets no tool, and says so instead of going on", async () => {
  const before = recorded().length;
  for (const framework of frameworks)
    await expect(run(framework, "of-nobody")).rejects.toThrow(/401|nauthorized/);
  expect(recorded()).toHaveLength(before);
});

test("the examples compile", () => {
  const tsc = join(root, "node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(tsc, ["-p", agents], { encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

/** The first block of a language in the framework's README. */
function pageOf(framework: string): (language: string) => string {
  const page = readFileSync(join(agents, framework, "README.md"), "utf8");
  return (language) =>
    new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(page)?.[1] ?? "?";
}

/** Names of a call and of a policy differ from run to run; so does white space at the end of a line. */
const steady = (text: string): string =>
  text
    .replaceAll(/(call_id|policy_version)=\S+/g, "$1=")
    .replaceAll(/ +$/gm, "")
    .trim();

async function run(framework: string, token = supportBot): Promise<string> {
  const folder = join(agents, framework);
  if (!existsSync(join(folder, "node_modules")))
    throw new Error(`${framework} is not installed: run node tools/prepare.ts`);
  const { stdout } = await promisify(execFile)(process.execPath, ["main.ts"], {
    cwd: folder,
    env: { HOLDFAST_URL: `${site.gatewayUrl}/mcp/files`, HOLDFAST_TOKEN: token },
    timeout: 120_000,
  });
  return stdout;
}

/** Each call in the log: who, what, decision, rule, and how it ended if it was forwarded. */
function recorded(): readonly unknown[] {
  const entries = site.entries();
  return entries
    .filter(({ kind }) => kind === "decision")
    .map(({ call, agent_id, tool, decision, determining_rules }) => {
      const outcome = entries.find((each) => each["kind"] === "outcome" && each["call"] === call);
      return [agent_id, tool, decision, String(determining_rules), outcome?.["outcome"]];
    });
}
