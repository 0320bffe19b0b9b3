/** The secrets of one question: read when they are needed, and taken out of everything that is told. */
import { readFile } from "node:fs/promises";
import type { SecretSource } from "../../failover/index.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";

const secretCharactersMax = 64 * 1024;
/** Shorter ones would be found everywhere, and hide what was seen instead of a secret. */
const redactedCharactersMin = 4;

export class Secrets {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #known = new Set<string>();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Throws with a sentence that names the source. */
  async read(source: SecretSource): Promise<string> {
    const name = "env" in source ? `the variable ${source.env}` : `the file ${source.file}`;
    const value = "env" in source ? this.#env[source.env] : await contentOf(source.file, name);
    const secret = value?.replace(/\r?\n$/, "") ?? "";
    if (secret === "") throw new Error(`${name} holds no secret`);
    if (secret.length > secretCharactersMax) throw new Error(`${name} is too large for a secret`);
    this.#remember(secret);
    return secret;
  }

  /** The same without any secret that was read. */
  withoutThem<T extends JsonValue>(value: T): T {
    return this.#clean(value) as T;
  }

  #remember(secret: string): void {
    this.#known.add(secret);
    this.#known.add(encodeURIComponent(secret));
    if (!URL.canParse(secret)) return;
    const { password } = new URL(secret);
    this.#known.add(password);
    try {
      this.#known.add(decodeURIComponent(password));
    } catch {
      // Not encoded, so it was remembered as it is.
    }
  }

  #clean(value: JsonValue): JsonValue {
    if (typeof value === "string") return this.#cleanText(value);
    if (isJsonArray(value)) return value.map((item) => this.#clean(item));
    if (!isJsonObject(value)) return value;
    const members = Object.entries(value);
    return Object.fromEntries(
      members.map(([name, item]) => [this.#cleanText(name), this.#clean(item)]),
    ) as JsonObject;
  }

  #cleanText(text: string): string {
    let cleaned = text;
    for (const secret of this.#known)
      if (secret.length >= redactedCharactersMin) cleaned = cleaned.replaceAll(secret, "[secret]");
    return cleaned;
  }
}

async function contentOf(file: string, name: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    throw new Error(`${name} cannot be read (${code})`);
  }
}
