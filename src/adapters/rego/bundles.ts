/** Bundles in a policy folder that `opa build -t wasm` made. */
import { err, type Result } from "../../kernel/index.ts";
import type { RegoBundle, RegoBundles } from "../../policy/index.ts";
import { readBundle } from "../bundle/index.ts";
import type { RegoThreads } from "./threads.ts";

export interface RegoArchive {
  /** In the policy folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const limits = { filesMax: 1_000, bytesMax: 32 * 1024 * 1024 };
const wasmPath = "policy.wasm";
const dataPath = "data.json";

/** Each is looked into, whether a rule names it or not. */
export async function readRegoBundles(
  archives: readonly RegoArchive[],
  threads: RegoThreads,
): Promise<RegoBundles> {
  const bundles = new Map<string, Result<RegoBundle, string>>();
  for (const { path, bytes } of archives) bundles.set(path, await readOne(bytes, threads));
  return bundles;
}

async function readOne(
  bytes: Uint8Array,
  threads: RegoThreads,
): Promise<Result<RegoBundle, string>> {
  const files = await readBundle(bytes, limits);
  if (!files.ok) return err(files.error.detail);
  const wasm = files.value.get(wasmPath);
  if (wasm === undefined) return err(`it holds no ${wasmPath}`);
  const deeper = [...files.value.keys()].find((path) => path.endsWith(`/${dataPath}`));
  if (deeper !== undefined) return err(`${deeper}: only ${dataPath} at the top is read`);
  return await threads.inspect({ wasm, data: files.value.get(dataPath) ?? Buffer.from("{}") });
}
