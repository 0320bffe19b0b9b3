/** The policy folder, watched and published as signed bundles into the data folder. */
import { join } from "node:path";
import { readBundle, writeBundle } from "../adapters/bundle/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { openBundleKey } from "../adapters/keys/index.ts";
import { watchPolicyFolder } from "../adapters/policy-folder/index.ts";
import type { Config } from "../cli/index.ts";
import { BundlePublisher } from "../control/index.ts";
import { toolSchemas } from "../gateway/index.ts";
import { err, type JsonObject, ok, type Result, type ToolId } from "../kernel/index.ts";
import type { Log } from "../ports.ts";
import { bundlePublicKeyFile } from "./bundle-trust.ts";
import { routesOf } from "./http-upstreams.ts";

export interface Publishing {
  readonly publisher: BundlePublisher;
  stop(): void;
}

/** `dataFolder` gets `bundles/` and, when absent, the signing key. The error is a sentence for the operator. */
export async function startPublishing(
  config: Config,
  dataFolder: string,
  log: Log,
): Promise<Result<Publishing, string>> {
  const signer = await openBundleKey(
    join(dataFolder, "keys", "bundle.pem"),
    join(dataFolder, bundlePublicKeyFile),
  );
  if (!signer.ok) return err(`${signer.error.path}: ${signer.error.detail}`);
  const publisher = new BundlePublisher({
    disk: openDisk(dataFolder),
    log,
    signer: signer.value,
    archive: writeBundle,
    unpack: readBundle,
    toolSchemas: await knownSchemas(config),
  });
  await publisher.resume();
  const watching = watchPolicyFolder(config.policies, {
    onSnapshot: (snapshot) => {
      if (snapshot.ok) void publisher.publish(snapshot.value.policies);
      else publisher.unreadable(`${snapshot.error.path}: ${snapshot.error.code}`);
    },
  });
  return ok({ publisher, stop: () => watching.stop() });
}

/** Argument schemas that are known without asking anyone: those of OpenAPI documents. */
async function knownSchemas(config: Config): Promise<ReadonlyMap<ToolId, JsonObject>> {
  const schemas = new Map<ToolId, JsonObject>();
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    if (upstream.http === undefined) continue;
    const routes = await routesOf(upstream.http);
    if (!routes.ok || routes.value === undefined) continue;
    for (const [tool, schema] of toolSchemas(name, routes.value)) schemas.set(tool, schema);
  }
  return schemas;
}
