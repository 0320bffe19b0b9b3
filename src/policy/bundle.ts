/**
 * Bundles: a policy set as files that a stock OPA loads. The set itself is the bundle's data, so that the signed bundle
 * is the one source of truth: the gateway compiles what OPA evaluates.
 */
import {
  canonicalJson,
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
  sha256Hex,
} from "../kernel/index.ts";
import {
  type BundleFiles,
  type BundleKeys,
  type BundleRefusal,
  parseBundleJson,
  signaturesPath,
  verifySignature,
} from "./bundle-signature.ts";
import { type PolicySet, policySetFormat } from "./ir.ts";
import { regoDocument, regoModules } from "./rego.ts";
import { type RegoModules, regoFiles, regoModulesIn } from "./rego-modules.ts";

const manifestPath = ".manifest";
const documentPath = "data.json";
const revisionDigits = 16;

/** A bundle that was signed by a key we know, and is whole. */
export interface VerifiedBundle {
  /** `policy_version` on the wire. */
  readonly revision: string;
  /** Grows with each bundle its signer makes, so that an older one, signed as well, is known for what it is. */
  readonly serial: number;
  readonly set: PolicySet;
  /** Users' own Rego that its conditions name. */
  readonly modules: RegoModules;
  /** `bundleDigest` of its files. */
  readonly digest: string;
}

/** `sha256:` and 16 digits: the same set has the same revision, whatever the order of files and rules. */
export function revisionOf(set: PolicySet): string {
  return `sha256:${sha256Hex(canonicalJson(inOrder(set))).slice(0, revisionDigits)}`;
}

/** What tells bundles of one policy folder apart. */
export interface BundleStamp {
  /** Default: `revisionOf` the set. */
  readonly revision?: string;
  /** A whole number from 1, above that of every bundle made before. */
  readonly serial: number;
}

/**
 * The serial of a bundle made at `wallMs`, after one with the serial `previous`: the time, so that it grows without
 * anything remembered, and always above `previous`, whatever the clock says.
 */
export function nextSerial(previous: number, wallMs: number): number {
  return Math.max(previous + 1, Math.floor(wallMs));
}

/** The unsigned files. Deterministic: the same set and stamp give the same bytes. */
export function buildBundle(
  set: PolicySet,
  stamp: BundleStamp,
  modules: RegoModules = new Map(),
): BundleFiles {
  const manifest = {
    revision: stamp.revision ?? revisionOf(set),
    roots: ["holdfast"],
    rego_version: 1,
    metadata: { policy_set_format: set.formatVersion, serial: stamp.serial },
  };
  const own = Object.entries(regoModules(set));
  const texts = new Map(
    [
      [manifestPath, canonicalJson(manifest)] as const,
      [documentPath, canonicalJson(regoDocument(inOrder(set) as unknown as PolicySet))] as const,
      ...own,
    ].map(([path, text]) => [path, Buffer.from(text)]),
  );
  return new Map([...texts, ...regoFiles(set, modules)]);
}

function inOrder(set: PolicySet): JsonObject {
  const by = <T extends { readonly id: string }>(items: readonly T[]): readonly T[] =>
    items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const { rules, tools, limits } = set;
  const ordered: PolicySet = { ...set, rules: by(rules), tools: by(tools), limits: by(limits) };
  return ordered as unknown as JsonObject;
}

/** The set in a bundle signed by one of `keys`. Nothing is read from a bundle before its signature held. */
export function verifyBundle(
  files: BundleFiles,
  keys: BundleKeys,
): Result<VerifiedBundle, BundleRefusal> {
  const signed = verifySignature(files, keys);
  if (!signed.ok) return signed;
  const manifest = documentAt(files, manifestPath);
  if (!manifest.ok) return manifest;
  const document = documentAt(files, documentPath);
  if (!document.ok) return document;
  const revision = at(manifest.value, "revision");
  if (typeof revision !== "string" || revision === "")
    return malformed(`${manifestPath}: the revision is missing`);
  const serial = at(at(manifest.value, "metadata"), "serial");
  if (typeof serial !== "number" || !Number.isSafeInteger(serial) || serial < 1)
    return malformed(`${manifestPath}: metadata.serial is no whole number from 1`);
  const set = at(at(document.value, "holdfast"), "policy");
  if (!isPolicySet(set))
    return malformed(
      `${documentPath}: holdfast.policy is no policy set of format ${policySetFormat}`,
    );
  const modules = regoModulesIn(set, files);
  if (!modules.ok) return malformed(modules.error);
  return ok({ revision, serial, set, modules: modules.value, digest: bundleDigest(files) });
}

function at(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function malformed(detail: string): Result<never, BundleRefusal> {
  return err({ kind: "malformed", detail });
}

function documentAt(files: BundleFiles, path: string): Result<JsonValue, BundleRefusal> {
  const bytes = files.get(path);
  if (bytes === undefined) return err({ kind: "missing_file", detail: `${path} is missing` });
  return parseBundleJson(path, bytes);
}

/** The signer vouches for the inside; this tells apart bundles that are no policy sets at all. */
function isPolicySet(value: JsonValue | undefined): value is JsonObject & PolicySet {
  const lists = [at(value, "rules"), at(value, "tools"), at(value, "limits")];
  return at(value, "formatVersion") === policySetFormat && lists.every(isJsonArray);
}

/** `sha256:<hex>` over names and bytes of all files but the signature. */
export function bundleDigest(files: BundleFiles): string {
  const covered = [...files].filter(([path]) => path !== signaturesPath);
  const hashes = covered.map(([path, bytes]) => [path, sha256Hex(bytes)] as const);
  return `sha256:${sha256Hex(canonicalJson(Object.fromEntries(hashes)))}`;
}
