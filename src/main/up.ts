/**
 * `holdfast up`: gateway, control and, where sites fail over, the guard, each a process under one command. None is
 * restarted silently: when one dies the others are stopped, and the exit code says that something did.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Config } from "../cli/index.ts";

const roles = ["control", "gateway", "guard"] as const;
type Role = (typeof roles)[number];

/** Longer than a gateway takes to let its calls finish. */
const stopGraceMs = 20_000;

/** A data plane alone has nothing to publish; a guard needs to know where it is decided which site acts. */
function rolesOf({ bundle, failover }: Config): readonly Role[] {
  const guard: readonly Role[] = failover?.arbiter === undefined ? [] : ["guard"];
  return [...(bundle === undefined ? (["control"] as const) : []), "gateway", ...guard];
}

/** Runs until a signal or a death. Resolves with the exit code: 0 after a signal, 1 after a death. */
export async function up(
  configPath: string,
  config: Config,
  store: string | undefined,
): Promise<number> {
  const children = new Map<Role, ChildProcess>(
    rolesOf(config).map((role) => [role, start(role, configPath, store)]),
  );
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    for (const child of children.values()) child.kill("SIGTERM");
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const deaths = [...children].map(([role, child]) => death(role, child));
  const first = await Promise.race(deaths);
  const unexpected = !stopping;
  if (unexpected) {
    process.stderr.write(`holdfast: ${first}${children.size > 1 ? "; stopping the others" : ""}\n`);
    stop();
  }
  const killer = setTimeout(() => {
    for (const child of children.values()) child.kill("SIGKILL");
  }, stopGraceMs);
  await Promise.all(deaths);
  clearTimeout(killer);
  return unexpected ? 1 : 0;
}

function start(role: Role, configPath: string, store: string | undefined): ChildProcess {
  const command = fileURLToPath(new URL("../../bin/holdfast.mjs", import.meta.url));
  return spawn(
    process.execPath,
    [command, ...commandOf(role), "--config", configPath, ...storeOf(role, store)],
    { stdio: "inherit" },
  );
}

function commandOf(role: Role): readonly string[] {
  return role === "guard" ? ["failover", "guard"] : [role];
}

function storeOf(role: Role, store: string | undefined): readonly string[] {
  return store === undefined || role === "guard" ? [] : ["--store", store];
}

function death(role: Role, child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`${role} could not start: ${error.message}`));
    child.once("exit", (code, signal) => resolve(`${role} ended with ${signal ?? `code ${code}`}`));
  });
}
