/** `holdfast failover manifest diff`: what differs in meaning, whatever the order and the writing. */
import { type Difference, differences } from "../../failover/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { openManifest } from "./open-manifest.ts";

/** 0 the same, 1 different, 2 one of them is no usable manifest. */
export async function diffManifests(
  before: string,
  after: string,
  options: { readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  const [a, b] = [await openManifest(before, io), await openManifest(after, io)];
  if (a === undefined || b === undefined) return 2;
  const plain = (value: unknown): JsonObject => value as JsonObject;
  const found = differences(plain(a.manifest), plain(b.manifest));
  if (options.json) io.out(JSON.stringify({ same: found.length === 0, differences: found }));
  else for (const each of found) io.out(lineOf(each));
  return found.length === 0 ? 0 : 1;
}

function lineOf({ path, before, after }: Difference): string {
  if (before === undefined) return `+ ${path}: ${JSON.stringify(after)}`;
  if (after === undefined) return `- ${path}: ${JSON.stringify(before)}`;
  return `~ ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
