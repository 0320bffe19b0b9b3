/** Version parity between sites (AG-403 4.8): what each has of what must be the same, and where they differ. */
import {
  canonicalJson,
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
  sha256Hex,
} from "../../kernel/index.ts";

export const parityType = "application/vnd.holdfast.parity+json";

/** What one site has, each by its digest or version. */
export interface ParityState {
  readonly format: "holdfast.parity/v1";
  readonly deployment: string;
  readonly tenant: string;
  readonly site: string;
  readonly nonce: string;
  readonly manifest_version: number;
  readonly manifest_digest: string;
  /** Policy revisions that its gateways decide with. */
  readonly policies: readonly string[];
  /** Of each file that is to be the same: the digest of what it means. */
  readonly files: Readonly<Record<string, string>>;
}

export interface Drift {
  /** `manifest`, `policy`, or a file's name. */
  readonly of: string;
  readonly here: string;
  readonly there: string;
}

/** `own` against that of the site that acts. */
export function drifts(own: ParityState, acting: ParityState): readonly Drift[] {
  const pairs: [string, string, string][] = [
    ["manifest", own.manifest_digest, acting.manifest_digest],
  ];
  // A site whose gateways were never heard has nothing to compare; its own probes tell that they are missing.
  if (own.policies.length > 0 && acting.policies.length > 0)
    pairs.push(["policy", own.policies.join(" "), acting.policies.join(" ")]);
  const names = new Set([...Object.keys(own.files), ...Object.keys(acting.files)]);
  for (const name of [...names].sort())
    pairs.push([name, own.files[name] ?? "nothing", acting.files[name] ?? "nothing"]);
  return pairs.flatMap(([of, here, there]) => (here === there ? [] : [{ of, here, there }]));
}

export function driftText({ of, here, there }: Drift): string {
  return `${of} is ${here} here and ${there} there`;
}

/** The error says which member is wrong. */
export function readParity(
  payload: JsonObject,
  expected: Pick<ParityState, "deployment" | "tenant" | "site" | "nonce">,
): Result<ParityState, string> {
  const { format, manifest_version: version, manifest_digest: digest, policies, files } = payload;
  if (format !== "holdfast.parity/v1") return err("it is no parity of this format");
  for (const name of ["deployment", "tenant", "site", "nonce"] as const)
    if (payload[name] !== expected[name])
      return err(`its ${name} is ${JSON.stringify(payload[name])}, not ${expected[name]}`);
  const good =
    Number.isSafeInteger(version) &&
    typeof digest === "string" &&
    Array.isArray(policies) &&
    policies.every((each) => typeof each === "string") &&
    isJsonObject(files) &&
    Object.values(files).every((each) => typeof each === "string");
  return good ? ok(payload as unknown as ParityState) : err("it lacks what it should compare");
}

/** How a file is compared: by what it means, so that a comment or a reordered key is no drift. */
export type FileForm = "structured" | "environment" | "lines" | "bytes";

export function formOf(name: string): FileForm {
  if (/\.(?:json|ya?ml)$/i.test(name)) return "structured";
  if (/(?:^|[./])env$|\.env(?:\..+)?$/i.test(name)) return "environment";
  if (/\.(?:cfg|conf|ini|properties|toml)$/i.test(name)) return "lines";
  return "bytes";
}

/** `sha256:<hex>` of JSON or YAML as it was read: the order of keys, spaces and comments mean nothing. */
export function structuredDigest(documents: readonly JsonValue[]): string {
  return digest(Buffer.from(documents.map((each) => canonicalJson(each)).join("\n")));
}

/**
 * Of `KEY=VALUE` lines: their order and comments mean nothing, and the last of a repeated key counts. Of other
 * configuration: each line without comment, indentation and runs of spaces; the order of lines may mean something.
 */
export function textDigest(text: string, form: "environment" | "lines"): string {
  const lines = text
    .split(/\r?\n/)
    .map((line) => (form === "lines" ? meaningOf(line) : line.trim()))
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (form === "lines") return digest(Buffer.from(lines.join("\n")));
  const pairs = new Map(lines.map((line) => pairOf(line)));
  return digest(Buffer.from(canonicalJson(Object.fromEntries(pairs))));
}

export function bytesDigest(bytes: Uint8Array): string {
  return digest(bytes);
}

/** What is in quotes is kept as it is; a `#` or `;` at the start of a word begins a comment. */
function meaningOf(line: string): string {
  const words = line.match(/"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\]+|\s+/g) ?? [];
  let meaning = "";
  for (const word of words) {
    const begins = meaning === "" || meaning.endsWith(" ");
    if (begins && /^[#;]/.test(word)) break;
    meaning += /^\s+$/.test(word) ? " " : word;
    meaning = meaning.replace(/^ /, "");
  }
  return meaning.trimEnd();
}

function pairOf(line: string): readonly [string, string] {
  const at = line.indexOf("=");
  return at < 0
    ? [line, ""]
    : [
        line
          .slice(0, at)
          .replace(/^export\s+/, "")
          .trim(),
        line.slice(at + 1).trim(),
      ];
}

function digest(bytes: Uint8Array): string {
  return `sha256:${sha256Hex(bytes)}`;
}
