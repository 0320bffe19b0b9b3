/** `holdfast failover manifest check`: every fault and every warning, each with its place. */
import { manifestDigest } from "../../failover/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { nowText, tell } from "./open-manifest.ts";
import { manifestReader } from "./read-manifest.ts";

/** 0 usable, 1 faults (with `strict` also warnings), 2 unreadable. */
export async function checkManifestFile(
  file: string,
  options: { readonly json?: boolean; readonly strict?: boolean },
  io: CommandOutput,
): Promise<number> {
  const { manifest, diagnostics } = await (await manifestReader()).readFile(file, nowText());
  const digest = manifest && manifestDigest(manifest);
  const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
  const good = manifest !== undefined && (options.strict !== true || warnings === 0);
  if (options.json) io.out(JSON.stringify({ ok: good, ...(digest && { digest }), diagnostics }));
  else tell(diagnostics, io);
  if (good) {
    if (options.json) return 0;
    const { sites, components, deployment, version } = manifest;
    const named = warnings === 0 ? "" : `, ${warnings} warnings`;
    io.out(
      `${file}: ${deployment} version ${version}, ${sites.length} sites, ${components.length} components${named}`,
    );
    io.out(`digest ${digest}`);
    return 0;
  }
  return diagnostics.some(({ code }) => code === "unreadable") ? 2 : 1;
}
