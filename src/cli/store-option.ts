/** `--store`: one flag instead of the configuration's word on where state is shared. */
import { resolve } from "node:path";
import type { Config } from "./config-types.ts";
import { Secret } from "./secret.ts";

/** A `postgres://` URL, or a file relative to the working folder; undefined leaves the configuration as it is. */
export function storeGiven(config: Config, address: string | undefined): Config {
  if (address === undefined) return config;
  const store = /^postgres(?:ql)?:\/\//.test(address)
    ? { postgres: new Secret(address) }
    : { sqlite: resolve(address) };
  return { ...config, store };
}
