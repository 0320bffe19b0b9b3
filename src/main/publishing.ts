/** The policy folder, watched and published as signed bundles into the data folder. */
import { join } from "node:path";
import { readBundle, writeBundle } from "../adapters/bundle/index.ts";
import { systemClock } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { openBundleKey } from "../adapters/keys/index.ts";
import { type PolicyFolder, watchPolicyFolder } from "../adapters/policy-folder/index.ts";
import { RegoThreads, readRegoBundles } from "../adapters/rego/index.ts";
import { type Config, knownTools, schemasOf } from "../cli/index.ts";
import { BundlePublisher } from "../control/index.ts";
import { digestOf, err, type JsonObject, ok, type Result, type ToolId } from "../kernel/index.ts";
import type { Log } from "../ports.ts";
import { bundlePublicKeyFile } from "./bundle-trust.ts";

/** How soon policies are checked again after a tool was described for the first time, or differently. */
const toolsPollMs = 1_000;

export interface Publishing {
  readonly publisher: BundlePublisher;
  stop(): void;
}

/**
 * `dataFolder` gets `bundles/` and, when absent, the signing key. Policies are checked against every tool that is known
 * (`knownTools` of `config`), and again when that changes. The error is a sentence for the operator.
 */
export async function startPublishing(
  config: Config,
  dataFolder: string,
  log: Log,
): Promise<Result<Publishing, string>> {
  const { policies: folder } = config;
  if (folder === undefined)
    return err("policies come in a bundle here (bundle.url); the control plane needs their folder");
  const signer = await openBundleKey(
    join(dataFolder, "keys", "bundle.pem"),
    join(dataFolder, bundlePublicKeyFile),
  );
  if (!signer.ok) return err(`${signer.error.path}: ${signer.error.detail}`);
  const tools = new ToolKnowledge(config, log);
  await tools.refresh();
  const publisher = new BundlePublisher({
    clock: systemClock,
    disk: openDisk(dataFolder),
    log,
    signer: signer.value,
    archive: writeBundle,
    unpack: readBundle,
    toolSchemas: () => tools.schemas,
  });
  await publisher.resume();
  const threads = new RegoThreads({ threads: 1 });
  let read: PolicyFolder | undefined;
  // What the folder held when it was looked into; one that changed meanwhile has its own turn.
  const publish = async (folder: PolicyFolder): Promise<void> => {
    const regoBundles = await readRegoBundles(folder.archives, threads);
    if (folder === read) await publisher.publish(folder.policies, regoBundles);
  };
  const watching = watchPolicyFolder(folder, {
    onSnapshot: (snapshot) => {
      read = snapshot.ok ? snapshot.value : undefined;
      if (snapshot.ok) void publish(snapshot.value);
      else publisher.unreadable(`${snapshot.error.path}: ${snapshot.error.code}`);
    },
  });
  const stop = new AbortController();
  void tools.follow(stop.signal, () => {
    log.write("info", "tools_changed", { tools: tools.schemas.size });
    if (read !== undefined) void publish(read);
  });
  const stopAll = (): void => {
    stop.abort();
    watching.stop();
    void threads.close();
  };
  return ok({ publisher, stop: stopAll });
}

/** The argument schemas of all known tools, as of the last look. */
class ToolKnowledge {
  readonly #config: Config;
  readonly #log: Log;
  #schemas: ReadonlyMap<ToolId, JsonObject> = new Map();
  #seen = "";

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  get schemas(): ReadonlyMap<ToolId, JsonObject> {
    return this.#schemas;
  }

  /** True when something is known now that was not, or otherwise. What cannot be read is told, and stays as it was. */
  async refresh(): Promise<boolean> {
    const { tools, problems } = await knownTools(this.#config);
    const seen = digestOf([
      [...problems],
      tools.map(({ id, definition }) => [id, definition?.digest ?? null]),
    ]);
    if (seen === this.#seen) return false;
    this.#seen = seen;
    for (const problem of problems) this.#log.write("error", "tools_unreadable", { problem });
    if (problems.length > 0 && this.#schemas.size > 0) return false;
    this.#schemas = schemasOf(tools);
    return true;
  }

  async follow(signal: AbortSignal, changed: () => void): Promise<void> {
    while (!signal.aborted) {
      await systemClock.sleep(toolsPollMs, signal);
      if (!signal.aborted && (await this.refresh())) changed();
    }
  }
}
