/** Stock configurations: files beside this one, filled in with addresses, named by the digest of the file as it is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../../src/kernel/index.ts";

const folder = join(import.meta.dirname, "stock");

/** The text, with every `{{name}}` replaced. Throws when one has no value. */
export function stockText(file: string, values: Readonly<Record<string, string | number>>): string {
  return readFileSync(join(folder, file), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${file} needs a value for ${name}`);
    return String(value);
  });
}

/** `stock/haproxy.cfg sha256:…` */
export function stockDigest(file: string): string {
  return `stock/${file} sha256:${sha256Hex(readFileSync(join(folder, file)))}`;
}
