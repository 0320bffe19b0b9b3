/** Loads `holdfast.yaml`: strictly checked, defaults filled in, paths absolute, secrets read. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { compileSchema, type SchemaCheck } from "../adapters/json-schema/index.ts";
import { err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import { type Diagnostic, parseSource, sortDiagnostics, sourceValue } from "../policy/index.ts";
import { checkCompleteApprovals } from "./config-approvals.ts";
import { completeNotices } from "./config-notices.ts";
import { checkRules } from "./config-rules.ts";
import type { ApprovalsConfig, Config } from "./config-types.ts";
import { Findings, type Path } from "./findings.ts";
import { Secret } from "./secret.ts";

/** The JSON Schema, for editors: `# yaml-language-server: $schema=…`. */
export const configSchemaUrl: URL = new URL("../../schemas/config.schema.json", import.meta.url);

export type Environment = Readonly<Record<string, string | undefined>>;

type Members = Record<string, unknown>;

/**
 * Reads and checks the file. Every problem is reported with file, line, column and the nearest valid word; on any,
 * nothing is loaded. `environment` is where `{ env: NAME }` looks; with secrets `unread`, those that are missing are no
 * fault, for who only looks at the configuration.
 */
export async function loadConfig(
  path: string,
  environment: Environment = process.env,
  secrets: "read" | "unread" = "read",
): Promise<Result<Config, readonly Diagnostic[]>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const fault = `the configuration cannot be read (${code ?? String(thrown)})`;
    return err([unreadable(path, `${fault}; name another file with --config`)]);
  }
  const { root, diagnostics } = parseSource(path, text);
  if (root === undefined || diagnostics.length > 0) {
    return err(diagnostics.length > 0 ? diagnostics : [unreadable(path, "the file is empty")]);
  }
  const findings = new Findings(path, root);
  const config = sourceValue(root, () => undefined) as Members;
  for (const problem of (await schemaCheck())(config)) findings.reportSchema(problem);
  if (findings.found.length > 0) return err(sortDiagnostics(findings.found));
  checkRules(config, findings);
  if (findings.found.length > 0) return err(sortDiagnostics(findings.found));
  const complete = await completed(config, dirname(resolve(path)), environment, findings);
  const faults = findings.found.filter(({ code }) => secrets === "read" || code !== "secret");
  return faults.length > 0 ? err(sortDiagnostics(faults)) : ok(complete);
}

async function schemaCheck(): Promise<SchemaCheck> {
  return compileSchema(JSON.parse(await readFile(configSchemaUrl, "utf8")) as JsonObject);
}

function unreadable(file: string, message: string): Diagnostic {
  return { severity: "error", code: "unreadable", file, line: 1, column: 1, message };
}

interface Completion {
  readonly folder: string;
  readonly environment: Environment;
  readonly findings: Findings;
}

/** Fills in what depends on other values, and replaces paths and secrets. The value is valid by schema and rules. */
async function completed(
  config: Members,
  folder: string,
  environment: Environment,
  findings: Findings,
): Promise<Config> {
  const how: Completion = { folder, environment, findings };
  config["public_url"] ??= `http://${String(config["listen"])}`;
  config["allowed_hosts"] = withOwnNames(config, config["allowed_hosts"]);
  config["allowed_origins"] = withOwnNames(config, config["allowed_origins"]);
  if (config["bundle"] === undefined) config["policies"] ??= "policies";
  else await completeBundle(config["bundle"] as Members, how);
  absolute(config, ["data", "policies"], folder);
  const control = config["control"] as Members;
  if (control["token"] !== undefined) await readSecret(control, "token", ["control"], how);
  const model = config["model"] as Members;
  if (model["token"] !== undefined) await readSecret(model, "token", ["model"], how);
  absolute((model["kubernetes"] ?? {}) as Members, ["kubeconfig"], folder);
  await completeStore(config, how);
  const identity = config["identity"] as Members;
  identity["audience"] ??= config["public_url"];
  for (const issuer of identity["issuers"] as Members[]) absolute(issuer, ["jwks_file"], folder);
  for (const agent of identity["signed_agents"] as Members[]) {
    absolute(agent, ["jwks_file"], folder);
    agent["tenant"] ??= config["tenant"];
  }
  for (const [at, token] of (config["development_tokens"] as Members[]).entries()) {
    token["tenant"] ??= config["tenant"];
    await readSecret(token, "token", ["development_tokens", String(at)], how);
  }
  const { subjects, resources } = config["directory"] as Record<string, Members[]>;
  const { enforcement_points: points } = config["authzen"] as Record<string, Members[]>;
  for (const each of [subjects, resources, points].flat())
    if (each) each["tenant"] ??= config["tenant"];
  await completeApprovals(config, how);
  if (config["failover"] !== undefined) await completeFailover(config, how);
  for (const [name, upstream] of Object.entries(config["upstreams"] as Record<string, Upstream>)) {
    upstream["calls_in_flight_max"] ??= roomOfEach(config);
    await completeUpstream(upstream, ["upstreams", name], how);
  }
  return config as unknown as Config;
}

/** One upstream may have all the room; of several none takes more than half, so that the others go on when it hangs. */
function roomOfEach(config: Members): number {
  const { calls_in_flight_max: calls } = config["limits"] as { calls_in_flight_max: number };
  return Object.keys(config["upstreams"] as Members).length === 1 ? calls : Math.ceil(calls / 2);
}

async function completeBundle(bundle: Members, how: Completion): Promise<void> {
  const keys = bundle["public_keys"] as readonly string[];
  bundle["public_keys"] = keys.map((key) => resolve(how.folder, key));
  const { file } = (bundle["token"] ?? {}) as { readonly file?: string };
  if (file !== undefined) bundle["token_file"] = resolve(how.folder, file);
  if (bundle["token"] !== undefined) await readSecret(bundle, "token", ["bundle"], how);
}

async function completeFailover(config: Members, how: Completion): Promise<void> {
  const failover = config["failover"] as Members;
  absolute(failover, ["manifest"], how.folder);
  const files = failover["parity_files"] as readonly string[];
  failover["parity_files"] = files.map((file) => resolve(how.folder, file));
  failover["guard_url"] ??= `http://${String(failover["listen"])}`;
  failover["guard_url"] = String(failover["guard_url"]).replace(/\/+$/, "");
  await readSecret(failover, "token", ["failover"], how);
  for (const [name, file] of [
    ["patroni", "folder"],
    ["kubernetes", "token_file"],
  ] as const) {
    const told = failover[name] as Members | undefined;
    if (told !== undefined) absolute(told, [file], how.folder);
  }
  const drills = failover["drills"] as Members | undefined;
  if (drills !== undefined) {
    absolute(drills, ["folder", "schedule"], how.folder);
    drills["channels"] ??= Object.keys((config["approvals"] as Members)["channels"] as Members);
  }
  const dns = failover["dns"] as Members | undefined;
  if (dns !== undefined) await readSecret(dns, "key", ["failover", "dns"], how);
  const arbiter = failover["arbiter"] as Members | undefined;
  if (arbiter === undefined) return;
  absolute(arbiter, ["sqlite"], how.folder);
  if (arbiter["postgres"] !== undefined)
    await readSecret(arbiter, "postgres", ["failover", "arbiter"], how);
}

async function completeApprovals(config: Members, how: Completion): Promise<void> {
  const at = ["approvals"];
  const approvals = config["approvals"] as Members;
  const { listen } = config["control"] as Members;
  approvals["url"] ??= `http://${String(listen)}`;
  // Pages and links are made by adding paths to it.
  approvals["url"] = String(approvals["url"]).replace(/\/+$/, "");
  const oidc = approvals["oidc"] as Members | undefined;
  if (oidc?.["client_secret"] !== undefined)
    await readSecret(oidc, "client_secret", [...at, "oidc"], how);
  for (const [i, approver] of (approvals["approvers"] as Members[]).entries()) {
    approver["name"] ??= approver["id"];
    if (approver["token"] !== undefined)
      await readSecret(approver, "token", [...at, "approvers", String(i)], how);
  }
  const read = (members: Members, key: string, path: Path): Promise<void> =>
    readSecret(members, key, path, how);
  await completeNotices(approvals, read, how.findings);
  const { audience } = config["identity"] as Members;
  checkCompleteApprovals(approvals as unknown as ApprovalsConfig, String(audience), how.findings);
}

/** One database, by default a file in the data folder. */
async function completeStore(config: Members, how: Completion): Promise<void> {
  const store = config["store"] as Members;
  if (store["postgres"] !== undefined) return await readSecret(store, "postgres", ["store"], how);
  store["sqlite"] ??= `${String(config["data"])}/store.db`;
  absolute(store, ["sqlite"], how.folder);
}

/** This machine's loopback names and that of the public address are always allowed. */
function withOwnNames(config: Members, names: unknown): readonly string[] {
  const { hostname } = new URL(String(config["public_url"]));
  const own = ["localhost", "127.0.0.1", "[::1]", hostname];
  return [...new Set([...own, ...(names as readonly string[])])];
}

interface Upstream extends Members {
  readonly mcp?: Members;
  readonly http?: Members;
}

async function completeUpstream(
  { mcp, http }: Upstream,
  path: Path,
  how: Completion,
): Promise<void> {
  if (mcp !== undefined) await completeMcp(mcp, [...path, "mcp"], how);
  if (http === undefined) return;
  absolute(http, ["openapi"], how.folder);
  await readSecrets(http["headers"] as Members, [...path, "http", "headers"], how);
}

async function completeMcp(mcp: Members, path: Path, how: Completion): Promise<void> {
  if (mcp["command"] !== undefined) mcp["cwd"] ??= ".";
  absolute(mcp, ["cwd"], how.folder);
  await readSecrets(mcp["headers"] as Members, [...path, "headers"], how);
  await readSecrets(mcp["env"] as Members, [...path, "env"], how);
  const auth = mcp["auth"] as Members | undefined;
  if (auth?.["client_secret"] !== undefined) {
    await readSecret(auth, "client_secret", [...path, "auth"], how);
  }
}

function absolute(members: Members, keys: readonly string[], folder: string): void {
  for (const key of keys) {
    if (members[key] !== undefined) members[key] = resolve(folder, String(members[key]));
  }
}

async function readSecrets(members: Members, path: Path, how: Completion): Promise<void> {
  for (const key of Object.keys(members)) await readSecret(members, key, path, how);
}

/** A text, `{ env }` or `{ file }`, replaced by the secret itself. */
async function readSecret(
  members: Members,
  key: string,
  path: Path,
  how: Completion,
): Promise<void> {
  const source = members[key] as string | { readonly env?: string; readonly file?: string };
  const at = [...path, key];
  if (typeof source === "string") {
    members[key] = new Secret(source);
  } else if (source.env !== undefined) {
    const value = how.environment[source.env];
    members[key] = new Secret(value ?? "");
    if (value === undefined || value === "") {
      const message = `the environment variable ${source.env} is not set`;
      how.findings.report([...at, "env"], { code: "secret", message });
    }
  } else {
    members[key] = await secretFile(resolve(how.folder, source.file ?? ""), [...at, "file"], how);
  }
}

async function secretFile(file: string, at: Path, { findings }: Completion): Promise<Secret> {
  try {
    return new Secret((await readFile(file, "utf8")).replace(/\r?\n$/, ""));
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
    findings.report(at, { code: "secret", message: `${file} cannot be read (${code})` });
    return new Secret("");
  }
}
