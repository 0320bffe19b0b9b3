/** `holdfast model forget`: what is older than the configuration keeps it leaves the store. Exit codes: 0; 2 it could not. */
import { forget, ModelLog } from "../../control/index.ts";
import type { Remembrance } from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";

export async function forgetOld(
  state: SharedState,
  rules: Remembrance,
  { json }: { readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  const now = await state.now();
  const done = now.ok ? await forget(new ModelLog(state), rules, now.value) : undefined;
  if (done?.ok !== true) {
    io.err(
      `error: ${done?.error ?? (now.ok ? "" : `the store is ${now.error.kind}: ${now.error.detail}`)}`,
    );
    return 2;
  }
  const { before, after } = done.value;
  io.out(
    json === true
      ? JSON.stringify({ before, after, forgotten: before - after })
      : `forgot ${before - after} events, ${after} are left`,
  );
  return 0;
}
