/** The contract of `Commands`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { childProcessCommands } from "../../src/adapters/child-process/index.ts";
import { temporaryFolder } from "../fixtures/processes.ts";
import { until } from "../fixtures/site.ts";

const commands = childProcessCommands();
const node = (script: string): [string, ...string[]] => [process.execPath, "-e", script];
const long = 20_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const isAlive = (pid: number): boolean => {
  try {
    // A zombie that nobody has waited for yet is dead all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

describe("real commands", () => {
  test("runs to the end: its exit code and what it wrote, each output by itself", async () => {
    const script = "console.log('out'); console.error('err'); process.exitCode = 3";
    expect(await commands.run(node(script), {}, long)).toEqual({
      exitCode: 3,
      output: "out\n",
      errors: "err\n",
    });
  });

  test("no shell, and only the environment given", async () => {
    const script = "console.log(process.argv[1], JSON.stringify(process.env))";
    const { output } = await commands.run([...node(script), "$HOME;`id`"], { A: "b" }, long);
    expect(output).toBe('$HOME;`id` {"A":"b"}\n');
  });

  test("a program that is not there has no exit code, and says why", async () => {
    const ran = await commands.run(["/no/such/program"], {}, long);
    expect(ran).toMatchObject({ exitCode: null, output: "" });
    expect(ran.errors).toContain("ENOENT");
  });

  test("a name that cannot be one is no start, and nothing is thrown", async () => {
    expect(await commands.run(["a\0b"], {}, long)).toMatchObject({ exitCode: null, output: "" });
  });

  test("of a long output the end is kept", async () => {
    const script = "process.stdout.write('x'.repeat(1_000_000) + 'end')";
    const { output } = await commands.run(node(script), {}, long);
    expect(output.length).toBe(64 * 1024);
    expect(output.endsWith("xend")).toBe(true);
  });

  test("the timeout ends the whole group, also what ignores SIGTERM", async () => {
    const marks = join(folder.path, "pids");
    const inner = `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)`;
    const script = `
      const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(inner)}], { stdio: "inherit" });
      require("node:fs").writeFileSync(${JSON.stringify(marks)}, process.pid + " " + child.pid);
      setInterval(() => {}, 1000)`;
    const abort = new AbortController();
    const running = commands.run(node(script), {}, long, abort.signal);
    await until(() => existsSync(marks) && readFileSync(marks, "utf8").includes(" "));
    abort.abort();
    expect(await running).toMatchObject({ exitCode: null });
    const pids = readFileSync(marks, "utf8").split(" ").map(Number);
    expect(pids).toHaveLength(2);
    await until(() => !pids.some(isAlive));
    const quick = await commands.run(node("setInterval(() => {}, 1000)"), {}, 50);
    expect(quick).toMatchObject({ exitCode: null });
  });

  test("what a program leaves behind ends with it, though it holds the output", async () => {
    const mark = join(folder.path, "pid");
    const script = `
      const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
      require("node:fs").writeFileSync(${JSON.stringify(mark)}, String(child.pid));
      process.exit(0)`;
    const env = { PATH: "/usr/bin:/bin" };
    expect(await commands.run(node(script), env, long)).toMatchObject({ exitCode: 0 });
    await until(() => !isAlive(Number(readFileSync(mark, "utf8"))));
  });

  test("aborted before it began, it does not begin", async () => {
    const mark = join(folder.path, "began");
    const script = `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "")`;
    const ran = await commands.run(node(script), {}, long, AbortSignal.abort());
    expect(ran).toMatchObject({ exitCode: null });
    expect(existsSync(mark)).toBe(false);
  });
});
