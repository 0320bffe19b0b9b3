/**
 * `holdfast up`: gateway and control as two processes under one command. Neither is restarted silently: when one dies
 * the other is stopped, and the exit code says that something did.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Config } from "../cli/index.ts";

const roles = ["control", "gateway"] as const;
type Role = (typeof roles)[number];

/** Longer than a gateway takes to let its calls finish. */
const stopGraceMs = 20_000;

/** A data plane alone has nothing to publish. */
function rolesOf({ bundle }: Config): readonly Role[] {
  return bundle === undefined ? roles : ["gateway"];
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
    process.stderr.write(
      `holdfast: ${first}${children.size > 1 ? "; stopping the other process" : ""}\n`,
    );
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
    [command, role, "--config", configPath, ...(store === undefined ? [] : ["--store", store])],
    { stdio: "inherit" },
  );
}

function death(role: Role, child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`${role} could not start: ${error.message}`));
    child.once("exit", (code, signal) => resolve(`${role} ended with ${signal ?? `code ${code}`}`));
  });
}
