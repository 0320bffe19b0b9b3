/** `holdfast failover manifest show`: what a manifest means once every default is filled in. */
import { boundBy, type Component, manifestDigest, type OnFailure } from "../../failover/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { tableLines } from "../table.ts";
import { openManifest } from "./open-manifest.ts";

/** 0, or 1 when it is no usable manifest. */
export async function showManifest(
  file: string,
  options: { readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  const opened = await openManifest(file, io);
  if (opened === undefined) return 1;
  const { manifest, claimedBy } = opened;
  const digest = manifestDigest(manifest);
  if (options.json) {
    io.out(JSON.stringify({ digest, ...(claimedBy && { claimedBy }), manifest }));
    return 0;
  }
  const { deployment, tenant, version, mode, objectives } = manifest;
  io.out(`${deployment} (tenant ${tenant}) version ${version}, ${mode}`);
  io.out(`digest ${digest}`);
  if (claimedBy !== undefined)
    io.out(`says it is signed by ${claimedBy.join(", ") || "nobody"}; nothing was verified here`);
  io.out(
    `governance back within ${objectives.grto_seconds} s, verdicts last ${objectives.verdict_ttl_seconds} s`,
  );
  io.out("");
  const sites = manifest.sites.map((one) => [
    one.id,
    one.role,
    [one.jurisdiction, ...one.blocs].join(" "),
    one.role === "target" ? String(one.failover_order) : "",
    one.guard_url,
  ]);
  for (const line of tableLines([["SITE", "ROLE", "AREAS", "ORDER", "GUARD"], ...sites]))
    io.out(line);
  io.out("");
  const heads = ["COMPONENT", "CLASS", "VERIFIED BY", "BOUND BY", "ELSE", "SITES", "AFTER"];
  for (const line of tableLines([heads, ...manifest.components.map(rowOf)])) io.out(line);
  for (const each of manifest.not_applicable)
    io.out(`not applicable: ${each.class} (${each.reason}; approved by ${each.approved_by})`);
  return 0;
}

function rowOf(one: Component): readonly string[] {
  const sites = one.sites.length === 0 ? "all" : one.sites.join(" ");
  return [
    ...[one.name, one.class, one.verify.kind, boundBy(one.verify), actionText(one.on_failure)],
    ...[sites, one.depends_on.join(" ")],
  ];
}

function actionText(action: OnFailure): string {
  return typeof action === "string" ? action : `degrade to ${action.degrade}`;
}
