/** Opens the state that the processes of a deployment share, wherever the configuration says it lies. */
import { PostgresStore } from "../adapters/postgres/index.ts";
import { SqliteStore } from "../adapters/sqlite/index.ts";
import type { Config } from "../cli/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import { SharedState } from "../state/index.ts";

/**
 * With `standbys`, a PostgreSQL is read also where it is a standby: for who wants to know how far it has come, before it is
 * promoted. `process` names the watermark by which lost commits are seen; a command that ends at once has none. The error is a
 * sentence for the operator.
 */
export async function openSharedState(
  { store }: Pick<Config, "store">,
  process?: string,
  options: { readonly standbys?: boolean } = {},
): Promise<Result<SharedState, string>> {
  const opened =
    store.postgres === undefined
      ? await SqliteStore.open(store.sqlite ?? "")
      : PostgresStore.open(store.postgres.reveal(), `holdfast ${process ?? "command"}`, options);
  if (!opened.ok) return opened;
  return ok(new SharedState(opened.value, process === undefined ? {} : { process }));
}
