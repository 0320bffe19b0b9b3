/** What an HTTP message signature is over (RFC 9421 section 2): the covered components of a request, in one text. */
import { err, ok, type Result } from "../kernel/index.ts";
import { type InnerList, type Item, readDictionary, writeMember } from "./structured-fields.ts";

/** The parts of a request that can be signed, as they came. */
export interface SignedMessage {
  readonly method: string;
  /** Percent-encoded, beginning with a slash, without the query. */
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface SignatureBase {
  readonly text: string;
  /** Names without parameters, `@method` and `content-digest` among them. */
  readonly covered: ReadonlySet<string>;
}

/** The base for one member of `Signature-Input`. The error says which component cannot be covered. */
export function signatureBase(
  input: InnerList,
  message: SignedMessage,
): Result<SignatureBase, string> {
  const lines: string[] = [];
  const written = new Set<string>();
  const covered = new Set<string>();
  for (const component of input[0]) {
    const name = component[0];
    if (typeof name !== "string") return err("a covered component is not a string");
    const identifier = writeMember(component);
    if (written.has(identifier)) return err(`${identifier} is covered twice`);
    const value = componentValue(name, component[1], message);
    if (value === undefined) return err(`${identifier} is not in the request, or not supported`);
    written.add(identifier);
    covered.add(name);
    lines.push(`${identifier}: ${value}`);
  }
  lines.push(`"@signature-params": ${writeMember(input)}`);
  return ok({ text: lines.join("\n"), covered });
}

function componentValue(
  name: string,
  parameters: Item[1],
  message: SignedMessage,
): string | undefined {
  if (name.startsWith("@")) return parameters.size === 0 ? derived(name, message) : undefined;
  const value = headerText(message, name);
  if (value === undefined || parameters.size === 0) return value;
  // `key` names one member of a dictionary (section 2.1.2); the other parameters change what is signed, and are refused.
  const key = parameters.get("key");
  if (parameters.size > 1 || typeof key !== "string") return undefined;
  const member = readDictionary(value)?.get(key);
  return member === undefined ? undefined : writeMember(member);
}

/** Section 2.2. The scheme is not known behind a proxy, so `@target-uri` and `@scheme` are not supported. */
function derived(name: string, message: SignedMessage): string | undefined {
  switch (name) {
    case "@method":
      return message.method;
    case "@authority":
      return authorityOf(message);
    case "@path":
      return message.path;
    case "@query":
      return `?${message.query}`;
    default:
      return undefined;
  }
}

/** The Host in its normal form (section 2.2.3); undefined unless there is exactly one. */
export function authorityOf(message: SignedMessage): string | undefined {
  const hosts = [message.headers["host"] ?? []].flat();
  return hosts.length === 1 ? hosts[0]?.toLowerCase().replace(/:(?:80|443)$/, "") : undefined;
}

/** The values of all lines, trimmed and joined (section 2.1). */
export function headerText({ headers }: SignedMessage, name: string): string | undefined {
  const values = headers[name];
  if (values === undefined) return undefined;
  return [values]
    .flat()
    .map((value) => value.trim())
    .join(", ");
}
