/** Users' own Rego: modules that `opa build -t wasm` made, as they travel in our bundle. */
import { err, ok, type Result, sha256Hex } from "../kernel/index.ts";
import type { BundleFiles } from "./bundle-signature.ts";
import type { PolicySet, RegoCondition } from "./ir.ts";

/** A module and the base documents it was built with. */
export interface RegoModule {
  readonly wasm: Uint8Array;
  /** `data.json` of its bundle, as it stands. */
  readonly data: Uint8Array;
}

/** By `regoDigest`. */
export type RegoModules = ReadonlyMap<string, RegoModule>;

/** A bundle of the users' own, read and looked into. */
export interface RegoBundle extends RegoModule {
  readonly digest: string;
  /** `fraud/suspicious`, as they were given to `opa build -e`. */
  readonly entrypoints: readonly string[];
}

/** Hex: the same program on the same data has the same digest. */
export function regoDigest({ wasm, data }: RegoModule): string {
  return sha256Hex(`${sha256Hex(wasm)} ${sha256Hex(data)}`);
}

/** Digests of the modules that the set's conditions name, sorted. */
function neededBy(set: PolicySet): readonly string[] {
  return [...new Set(set.rules.flatMap(({ when }) => (isRego(when) ? [when.module] : [])))].sort();
}

export function isRego(when: PolicySet["rules"][number]["when"]): when is RegoCondition {
  return when?.op === "rego";
}

/** Not `policy.wasm` and not `data.json`: a stock OPA passes these files over. */
const wasmPath = (digest: string): string => `rego/${digest}.wasm`;
const dataPath = (digest: string): string => `rego/${digest}.data`;

/** The files of the modules that the set needs. Throws when one is missing: the loader had it. */
export function regoFiles(set: PolicySet, modules: RegoModules): BundleFiles {
  const files = new Map<string, Uint8Array>();
  for (const digest of neededBy(set)) {
    const module = modules.get(digest);
    if (module === undefined) throw new Error(`the Rego module ${digest} is not at hand`);
    files.set(wasmPath(digest), module.wasm).set(dataPath(digest), module.data);
  }
  return files;
}

/** The modules that the set needs, from the files of a bundle. The error names what is missing or another. */
export function regoModulesIn(set: PolicySet, files: BundleFiles): Result<RegoModules, string> {
  const modules = new Map<string, RegoModule>();
  for (const digest of neededBy(set)) {
    const wasm = files.get(wasmPath(digest));
    const data = files.get(dataPath(digest));
    if (wasm === undefined || data === undefined) return err(`${wasmPath(digest)} is missing`);
    if (regoDigest({ wasm, data }) !== digest)
      return err(`${wasmPath(digest)} is not the module of its name`);
    modules.set(digest, { wasm, data });
  }
  return ok(modules);
}
