/** Rego of users, built as they build it: `opa build -t wasm`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { opaBinary } from "./opa.ts";

/** The bundle, a .tar.gz. */
export function buildWasm(rego: string, entrypoints: readonly string[], data?: object): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-wasm-"));
  try {
    writeFileSync(join(folder, "policy.rego"), rego);
    if (data !== undefined) writeFileSync(join(folder, "data.json"), JSON.stringify(data));
    const sources = data === undefined ? ["policy.rego"] : ["policy.rego", "data.json"];
    const asked = entrypoints.flatMap((entrypoint) => ["-e", entrypoint]);
    const built = spawnSync(
      opaBinary,
      ["build", "-t", "wasm", ...asked, "-o", "out.tar.gz", ...sources],
      { cwd: folder, encoding: "utf8" },
    );
    if (built.status !== 0) throw new Error(`opa build: ${built.stderr} ${built.stdout}`);
    return readFileSync(join(folder, "out.tar.gz"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
