#!/usr/bin/env node
// Starts the command on Node 24: the one that runs this file if it is new enough, otherwise the one that was installed
// with the package. A checkout runs the sources as they are; the published package runs dist.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  const found = bundledNode();
  if (found === undefined) {
    process.stderr.write(
      `holdfast needs Node 24 or newer; this is ${process.version}. Install it, or run through npm in a folder where holdfast is installed.\n`,
    );
    process.exit(2);
  }
  const run = spawnSync(found, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exit(run.status ?? 1);
}

const source = new URL("../src/main.ts", import.meta.url);
const entry = existsSync(source) ? source : new URL("../dist/src/main.js", import.meta.url);
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));

function bundledNode() {
  const require = createRequire(import.meta.url);
  for (const name of [`node-${process.platform}-${process.arch}`]) {
    try {
      return require.resolve(`${name}/bin/node`);
    } catch {
      // Not installed for this platform.
    }
  }
  return undefined;
}
