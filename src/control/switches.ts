/** Changes of the kill switch, each one transaction on the shared state. Gateways see them there; nobody is told. */
import { err, type Result } from "../kernel/index.ts";
import { type KillState, killKey, killStateJson, readKillState } from "../limits/index.ts";
import type { SharedState, StateChange } from "../state/index.ts";

/** From the present state to the next. The error is a sentence. Serials make a repeated answer harmless. */
export async function changeSwitches(
  state: SharedState,
  next: (before: KillState) => Result<KillState, string>,
): Promise<Result<KillState, string>> {
  const changed = await state.transact(
    [killKey],
    (values): StateChange<Result<KillState, string>> => {
      const before = readKillState(values.get(killKey));
      const after = before.ok ? next(before.value) : before;
      if (!after.ok) return { writes: new Map(), result: after };
      return { writes: new Map([[killKey, killStateJson(after.value)]]), result: after };
    },
  );
  if (changed.ok) return changed.value;
  const { kind, detail } = changed.error;
  return err(
    kind === "unknown"
      ? `the store did not answer, so the change may or may not be there: ${detail}; look with holdfast kill list`
      : `the store is ${kind}, nothing has changed: ${detail}`,
  );
}
