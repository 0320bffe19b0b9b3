/** `holdfast tools`, and what the policy commands know from the configuration. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test } from "vitest";
import { registerPolicyCommands } from "../../../src/cli/policy.ts";
import { registerToolsCommand } from "../../../src/cli/tools.ts";

interface Ran {
  readonly code: number | undefined;
  readonly out: readonly string[];
  readonly err: string;
}

async function run(...args: string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  let code: number | undefined;
  const program = new Command().exitOverride();
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const exit = (given: number): void => {
    code = given;
  };
  registerPolicyCommands(program, io, exit);
  registerToolsCommand(program, io, exit);
  await program.parseAsync(args, { from: "user" });
  return { code, out, err: err.join("\n") };
}

const digest = (of: string): string => `sha256:${of.repeat(64)}`;
const stored = {
  format_version: 1,
  server: "files",
  tools: [
    {
      name: "read",
      digest: digest("a"),
      first_seen: "2026-01-01T00:00:00.000Z",
      annotations: { readOnlyHint: true },
      inputSchema: {
        type: "object",
        properties: { path: { type: "string" } },
        required: ["path"],
      },
    },
    {
      name: "wri\u009b: te",
      digest: digest("b"),
      first_seen: "2026-01-01T00:00:00.000Z",
      changed: { at: "2026-01-02T00:00:00.000Z", previous_digest: digest("c") },
      annotations: { destructiveHint: true },
    },
  ],
};

const configText = (trusted: boolean): string => `
listen: 127.0.0.1:7080
data: data
policies: policies
upstreams:
  files: { mcp: { command: [none], trusted: ${trusted}, env: { SECRET: { env: NOT_SET_ANYWHERE } } } }
  mail: { mcp: { command: [none] } }
  pay: { http: { base_url: "http://127.0.0.1:9", routes: [{ method: POST, path: /pay }] } }
`;

const rules = (field: string): string => `policy: p
rules:
  - { id: read, match: { tools: files:read, agents: bot }, when: args.${field} != "", outcome: allow }
`;

function place({ policy = rules("path"), trusted = true, catalog = "" } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-tools-"));
  for (const each of ["policies", "data/tools"]) mkdirSync(join(folder, each), { recursive: true });
  writeFileSync(join(folder, "holdfast.yaml"), configText(trusted));
  writeFileSync(join(folder, "data/tools/files.json"), JSON.stringify(stored));
  writeFileSync(join(folder, "policies/p.yaml"), policy);
  if (catalog !== "") writeFileSync(join(folder, "policies/catalog.yaml"), catalog);
  return folder;
}

const tools = (folder: string, ...more: string[]): Promise<Ran> =>
  run("tools", "--config", join(folder, "holdfast.yaml"), ...more);

test("the table: effect and risk as resolved, from where, the digest, and who", async () => {
  const { code, out, err } = await tools(place());
  expect(code).toBe(0);
  expect(out.map((line) => line.split(/ {2,}/))).toEqual([
    ["TOOL", "EFFECT", "RISK", "FROM", "DIGEST", "CHANGED", "AGENTS"],
    ["files:read", "read", "low", "annotation", digest("a").slice(0, 19), "-", "bot"],
    [
      ...["files:wri�: te", "write", "high", "default", digest("b").slice(0, 19)],
      ...["2026-01-02T00:00:00.000Z", "none"],
    ],
    ["pay:POST /pay", "write", "high", "wire", expect.stringMatching(/^sha256:/), "-", "none"],
  ]);
  expect(err).toBe("not seen yet: mail (known once an agent has asked for its tools)");
});

test("an annotation of a server that is not trusted is nothing; the catalog wins over all", async () => {
  const untrusted = await tools(place({ trusted: false }));
  expect(untrusted.out[1]).toMatch(/^files:read +write +high +default/);
  const catalog = "tools:\n  files:read: { effect: write, risk: critical }\n";
  expect((await tools(place({ catalog }))).out[1]).toMatch(/^files:read +write +critical +catalog/);
});

test("--json holds everything", async () => {
  const { out } = await tools(place(), "--json");
  const listed = JSON.parse(out.join("")) as { tools: { id: string }[] };
  expect(listed.tools.find(({ id }) => id === "files:wri\u009b: te")).toMatchObject({
    definition_digest: digest("b"),
    changed: { at: "2026-01-02T00:00:00.000Z", previous_digest: digest("c") },
    annotations: { destructiveHint: true },
    agents: [],
  });
  expect(listed.tools.map(({ id }) => id)).toContain("files:resources/read");
});

test("--catalog loads as it is, declares all, and changes no decision", async () => {
  const folder = place();
  const before = await tools(folder);
  const skeleton = await tools(folder, "--catalog");
  expect(skeleton.out).toContain(
    '  "files:wri\\u009b: te": { effect: write, risk: high } # its server says: destructive',
  );
  writeFileSync(join(folder, "policies/catalog.yaml"), `${skeleton.out.join("\n")}\n`);
  const after = await tools(folder);
  const decided = ({ out }: Ran): readonly string[] =>
    out.slice(1).map((line) => line.replace(/ (?:annotation|default|wire|catalog) +/, " "));
  expect(decided(after)).toEqual(decided(before));
  expect(after.out.slice(1).every((line) => line.includes(" catalog "))).toBe(true);
  expect((await tools(folder, "--catalog")).out).toEqual(["# Every known tool is declared."]);
});

test("policy check knows what the control plane knows, found beside the folder or given", async () => {
  const good = place();
  expect(await run("policy", "check", join(good, "policies"))).toMatchObject({
    code: 0,
    out: [expect.stringMatching(/^1 rules, 0 tools, checked against \d+ known tools$/)],
  });
  const wrong = join(place({ policy: rules("pth") }), "policies");
  const found = await run("policy", "check", wrong);
  expect(found).toMatchObject({ code: 1, err: expect.stringContaining("did you mean path?") });
  const elsewhere = place({ policy: rules("pth") });
  const config = join(elsewhere, "holdfast.yaml");
  expect(await run("policy", "test", wrong, "--config", config)).toMatchObject({ code: 1 });
});

test("a stored file that is not Holdfast's is said, and what depends on it is not guessed", async () => {
  const folder = place();
  writeFileSync(join(folder, "data/tools/files.json"), "{}");
  expect(await tools(folder)).toMatchObject({
    code: 1,
    err: expect.stringContaining("restore it"),
  });
  expect(await run("policy", "check", join(folder, "policies"))).toMatchObject({ code: 2 });
});
