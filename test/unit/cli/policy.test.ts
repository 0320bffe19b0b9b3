/** `holdfast policy`: what is printed, and the exit codes. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test } from "vitest";
import { registerPolicyCommands } from "../../../src/cli/policy.ts";

interface Ran {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

async function run(...args: string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  let code: number | undefined;
  const program = new Command().exitOverride();
  registerPolicyCommands(
    program,
    { out: (line) => out.push(line), err: (line) => err.push(line) },
    (exit) => {
      code = exit;
    },
  );
  await program.parseAsync(["policy", ...args], { from: "user" });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "holdfast-policy-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const good = "policy: p\nrules:\n- { id: a, match: { tools: s:t }, outcome: allow }\n";
const cases = (outcome: string): string =>
  `cases:\n- name: a\n  request: { agent: x, tool: s:t }\n  expect: { outcome: ${outcome} }\n`;

test("check: 0 in order, 1 findings, 2 nothing to check", async () => {
  expect(await run("check", folder({ "p.yaml": good }))).toEqual({
    code: 0,
    out: "1 rules, 0 tools",
    err: "",
  });
  const bad = await run("check", folder({ "p.yaml": good.replace("allow", "alow") }));
  expect(bad).toMatchObject({ code: 1, out: "not loaded" });
  expect(bad.err).toContain("p.yaml:3:44: error:");
  expect(await run("check", folder({}))).toMatchObject({ code: 2 });
  expect(await run("check", "/nowhere")).toMatchObject({
    code: 2,
    err: "cannot read /nowhere: ENOENT",
  });
});

test("check --json is one value", async () => {
  const { out, code } = await run(
    "check",
    "--json",
    folder({ "p.yaml": good.replace("tools", "tool") }),
  );
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    diagnostics: [{ code: "unknown-field", line: 3 }],
  });
});

test("check --tool-schemas checks arguments", async () => {
  const schemas = folder({
    "s.json": '{"s:t":{"type":"object","properties":{"path":{"type":"string"}}}}',
  });
  const policy = good.replace("outcome", "when: has(args.pth), outcome");
  const ran = await run(
    "check",
    folder({ "p.yaml": policy }),
    "--tool-schemas",
    join(schemas, "s.json"),
  );
  expect(ran.code).toBe(1);
  expect(ran.err).toContain("did you mean path?");
});

test("test: the cases of the folder", async () => {
  expect(await run("test", folder({ "p.yaml": good, "p.test.yaml": cases("allow") }))).toEqual({
    code: 0,
    out: "1 of 1 cases passed",
    err: "",
  });
  const failed = await run("test", folder({ "p.yaml": good, "p.test.yaml": cases("deny") }));
  expect(failed).toMatchObject({ code: 1, out: "0 of 1 cases passed" });
  expect(failed.err).toContain("p.test.yaml:4:22: error: a: outcome is allow, not deny");
  expect(await run("test", folder({ "p.yaml": good }))).toMatchObject({ code: 1 });
});

test("explain: one request", async () => {
  const path = folder({ "p.yaml": good, "request.txt": "{ agent: x, tool: s:t }" });
  const ran = await run("explain", path, join(path, "request.txt"));
  expect(ran.code).toBe(0);
  expect(ran.out).toContain("allow: p/a allows this");
  const asJson = await run("explain", "--json", path, join(path, "request.txt"));
  expect(JSON.parse(asJson.out)).toMatchObject({ verdict: { outcome: "allow" } });
});
