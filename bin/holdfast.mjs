#!/usr/bin/env node
// Starts the command on Node 24: the one that runs this file if it is new enough, otherwise the one that was installed
// with the package. A checkout runs the sources as they are; the published package runs dist.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) runOn(bundledNode());
else {
  const source = new URL("../src/main.ts", import.meta.url);
  const entry = existsSync(source) ? source : new URL("../dist/main.js", import.meta.url);
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
}

function bundledNode() {
  try {
    const require = createRequire(import.meta.url);
    return require.resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return undefined;
  }
}

/** Runs the same command on another Node, which gets every signal that asks this one to stop. */
function runOn(node) {
  if (node === undefined) {
    process.stderr.write(
      `holdfast needs Node 24 or newer; this is ${process.version}. Install it, or run through npm in a folder where holdfast is installed.\n`,
    );
    process.exitCode = 2;
    return;
  }
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    process.stderr.write(`holdfast could not start ${node}: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.once("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
