/** Reads the stored model for a command: the whole graph in memory, as it was when the command began. */
import { ModelLog, RememberedModel } from "../../control/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Graph, Remembrance } from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";

export interface OpenedModel {
  readonly graph: Graph;
  /** The store's wall clock. */
  readonly nowMs: number;
}

/** Batches below which nobody waits long enough to want to hear of it. */
const quietBatches = 100;

/** `tell` hears how far reading has come, when there is much to read. */
export async function openModel(
  state: SharedState,
  rules: Remembrance,
  tell: (line: string) => void,
): Promise<Result<OpenedModel, string>> {
  const now = await state.now();
  if (!now.ok) return err(`the store is ${now.error.kind}: ${now.error.detail}`);
  const model = new RememberedModel(new ModelLog(state), rules);
  let told = 0;
  const read = await model.refresh(now.value, (done, of) => {
    const tenth = Math.floor((done / of) * 10);
    if (of < quietBatches || tenth === told) return;
    told = tenth;
    tell(`reading the model: ${done} of ${of} batches`);
  });
  return read.ok ? ok({ graph: model.graph, nowMs: now.value }) : read;
}
